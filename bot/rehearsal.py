"""A question put to a persona outside every conversation, answered the way a message is; nobody sees the reply."""

from collections.abc import Callable
from datetime import datetime

from bot.ports import Engine, Knowledge
from bot.turns import Answering, Draft
from bot.types import ConversationKey, Persona, StoredMessage, Turn, TurnState, Work

_KEY = ConversationKey(channel="rehearsal", tenant="local", room="rehearsal")


async def rehearse(
    question: str,
    persona: Persona,
    *,
    knowledge: Knowledge,
    engine: Engine,
    now: Callable[[], datetime],
    draft: Draft | None = None,
) -> Draft:
    """The answer, in `draft` where one is given: it holds what was said before an error. Raises like the engine."""
    turn = Turn(
        id="rehearsal",
        conversation=_KEY,
        persona=persona.name,
        persona_version=persona.version,
        state=TurnState.RUNNING,
        attempt=1,
        epoch=1,
    )
    asked = StoredMessage(id="rehearsal", role="user", text=question, turn=turn.id, at=now())
    draft = Draft() if draft is None else draft
    answering = Answering(knowledge=knowledge, engine=engine, reply=_Nowhere(), now=now, draft=draft)
    await answering.answer(Work(turn=turn, question=(asked,)), persona)
    return draft


class _Nowhere:
    async def write(self, text: str) -> None:
        return None

    async def replace(self, text: str) -> None:
        return None
