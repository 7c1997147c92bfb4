"""Follow a conversation live."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from adapters.web.access import Bearer
from adapters.web.desk import Desk
from adapters.web.marks import read_mark
from adapters.web.problems import documented
from adapters.web.stream import EventStream


class _EventStreamType(Response):
    media_type = "text/event-stream"


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/api/v1/conversations/{conversation}", tags=["events"])
    core = desk.core

    @router.get("/events", response_class=_EventStreamType, responses=documented(401, 403, 422, 429, 503))
    async def follow(
        conversation: str,
        bearer: Bearer,
        after: Annotated[str | None, Query(description="The `id` of the last event that was received.")] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Server-sent events `turn.started`, `delta`, `turn.replaced`, `turn.finished`, each with an `id`.

        After an id: exactly what was missed, or, where that is gone, each turn since as the database has it. Without
        one: the newest turn as it stands. A `turn.replaced` always takes the place of what a reader has of the turn;
        deltas are appended and count on from its `seq`. `turn.finished` has the final text.
        """
        found = await desk.access.conversation(conversation, bearer)
        desk.streams.admit(found.key)
        return EventStream(
            found,
            mark=read_mark(last_event_id or after),
            store=core.store,
            bus=core.bus,
            streams=desk.streams,
            settings=desk.settings,
        )

    return router
