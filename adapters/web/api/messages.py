"""Read a conversation's messages and add one."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from adapters.web.access import Bearer
from adapters.web.desk import Desk
from adapters.web.inbound import parse
from adapters.web.problems import Refused, documented
from adapters.web.wire import AcceptedOut, Id, MessagesOut, NewMessage, message_json


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/api/v1/conversations/{conversation}", tags=["messages"])
    core = desk.core

    @router.get("/messages", response_model=MessagesOut, responses=documented(401, 403, 422, 503))
    async def read_messages(
        conversation: str,
        bearer: Bearer,
        before: Annotated[Id | None, Query(description="Only messages older than this one.")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> JSONResponse:
        """The newest messages, oldest first."""
        found = await desk.access.conversation(conversation, bearer)
        messages = await core.store.conversations.messages(found.key, before=before, limit=limit)
        content: dict[str, Any] = {"messages": [message_json(message) for message in messages]}
        return JSONResponse(content)

    @router.post(
        "/messages", status_code=202, response_model=AcceptedOut, responses=documented(401, 403, 413, 422, 503)
    )
    async def send_message(conversation: str, new: NewMessage, bearer: Bearer) -> JSONResponse:
        """Store a message; its reply comes on the event stream. Nothing is stored twice for one `client_id`."""
        found = await desk.access.conversation(conversation, bearer)
        inbound = parse(found, client_id=new.client_id, text=new.text, now=datetime.now(UTC))
        accepted = await core.inbox.accept(inbound)
        if accepted is None:
            raise Refused(422, "no-reply", "this message needs no answer and was not stored")
        desk.metrics.messages.labels(str(accepted.duplicate).lower()).inc()
        return JSONResponse({"turn": accepted.turn, "duplicate": accepted.duplicate}, status_code=202)

    return router
