"""Stop a reply, and say what it was worth."""

from fastapi import APIRouter

from adapters.web.access import Bearer
from adapters.web.desk import Desk
from adapters.web.problems import Refused, documented
from adapters.web.wire import Feedback, StoppingOut


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/api/v1/turns/{turn}", tags=["turns"])
    core = desk.core

    @router.post("/stop", status_code=202, responses=documented(401, 403, 422, 503))
    async def stop_turn(turn: str, bearer: Bearer) -> StoppingOut:
        """Ask for the reply to end. The stream tells when it has; a finished turn stays as it is."""
        found = await desk.access.turn(turn, bearer)
        stopping = await core.inbox.stop(found.id)
        if stopping is None:
            raise Refused(403, "not-yours", "this token opens no turn of that id")
        return StoppingOut(turn=stopping.id, status=stopping.state.value)

    @router.post("/feedback", status_code=204, responses=documented(401, 403, 413, 422, 503))
    async def rate_turn(turn: str, feedback: Feedback, bearer: Bearer) -> None:
        """Rate the reply; a later rating takes the place of an earlier one."""
        found = await desk.access.turn(turn, bearer)
        await core.inbox.rate(found.id, feedback.rating, comment=feedback.comment)

    return router
