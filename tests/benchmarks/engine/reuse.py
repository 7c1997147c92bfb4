"""What a kept conversation and a shared persona save of the first token, in seconds of the worker's computing."""

from statistics import median

from bot.engine.client import LocalEngine
from bot.measuring import ours
from bot.measuring.compare import Subject
from bot.measuring.texts import sized
from bot.measuring.workloads import Conversation, Workload
from bot.types import Message

TIMES = 5
PERSONA, HISTORY, QUESTION = 400, 200, 24


async def reuse(engine: LocalEngine, found: Subject) -> tuple[float, float]:
    """The first token of a kept conversation's next turn, and of one that shares a persona, over a cold one's.

    The median of five; each persona is new.
    """

    def message(label: str, tokens: int, role: str = "user") -> Message:
        text = sized(label, tokens=tokens, count=lambda t: len(found.tokens.encode([Message(role="user", text=t)])))
        return Message(role=role, text=text)  # type: ignore[arg-type] # one of three roles

    cold, kept, shared = [], [], []
    for number in range(TIMES):
        persona = message(f"P{number}", PERSONA, "system")
        said = [
            [persona, message(f"H{number}{who}", HISTORY), Message(role="assistant", text="Well."), question]
            for who in "ab"
            for question in [message(f"Q{number}{who}", QUESTION)]
        ]
        cold.append(await _first(engine, said[0]))
        shared.append(await _first(engine, said[1]))
        following = [*said[0], Message(role="assistant", text="Yes."), message(f"N{number}", QUESTION)]
        kept.append(await _first(engine, following))
    return median(kept) / median(cold), median(shared) / median(cold)


async def _first(engine: LocalEngine, messages: list[Message]) -> float:
    conversation = Conversation(start=0.0, turns=(tuple(messages),), grows=False)
    ran = await ours.run(
        engine, Workload(name="first", new=1, longest=0, conversations=(conversation,)), ends=frozenset()
    )
    return ran.computed or ran.answers[0].came[0] - ran.answers[0].asked
