"""Who asks what and when; the same as token ids, for those who know no chat template."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.errors import ConfigError
from bot.measuring.texts import sized
from bot.types import Message

Count = Callable[[Sequence[Message]], int]
Encode = Callable[[Sequence[Message]], Sequence[int]]

GAP = 0.05
"""Seconds between arrivals."""
ALONE = 3
"""Questions that one conversation alone asks, one after the other."""
TURNS = 3
"""Turns of a chat."""
PERSONA, HISTORY, QUESTION = 400, 100, 20
"""Tokens of a chat's persona, of what was said before it is measured, and of each question."""
_PATTERN = 7
"""Room for what a chat template puts around a message, in tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Begins at `start` seconds. Each turn brings messages; it is asked when the turn before it is answered.

    Where it `grows`, a turn's prompt is all that was said, answers too; else its own messages alone.
    """

    start: float
    turns: tuple[tuple[Message, ...], ...]
    grows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """`new` are the tokens of each answer, `longest` those of the longest prompt with its answer."""

    name: str
    new: int
    longest: int
    conversations: tuple[Conversation, ...]

    @property
    def answers(self) -> int:
        return sum(len(conversation.turns) for conversation in self.conversations)


def arrivals(at_once: int, *, shortest: int, longest: int, new: int, count: Count, label: str) -> Workload:
    """Prompts of `shortest` to `longest` tokens that arrive one after the other; one alone asks in sequence."""
    prompts = [
        (_fitted(f"{label}-{number}", shortest + round((longest - shortest) * _spread(number + 1)), count),)
        for number in range(ALONE if at_once == 1 else at_once)
    ]
    if at_once == 1:
        conversations = [Conversation(start=0.0, turns=tuple(prompts), grows=False)]
    else:
        conversations = [Conversation(start=n * GAP, turns=(p,), grows=False) for n, p in enumerate(prompts)]
    return Workload(name="arrivals", new=new, longest=longest + new, conversations=tuple(conversations))


def chat(at_once: int, *, new: int, context: int, count: Count, label: str) -> Workload:
    """Conversations that begin at once with one persona's text and each its own history, and grow turn by turn.

    Persona and history are shorter where the context holds no more. Raises ConfigError where it holds no chat.
    """
    turns = TURNS * (QUESTION + new + 2 * _PATTERN)
    share = min(1.0, (context - turns - 4 * _PATTERN) / (PERSONA + HISTORY))
    if share < 0.1:
        raise ConfigError(
            f"a chat of {TURNS} turns with answers of {new} tokens does not fit a context of {context}; "
            "use fewer --new-tokens, or --workloads arrivals"
        )
    persona = _fitted(f"{label}-persona", int(PERSONA * share), count, role="system")
    half = int(HISTORY * share) // 2
    conversations = []
    for number in range(at_once):
        name = f"{label}-{number}"
        said = (
            _fitted(f"{name}-q", half, count),
            _fitted(f"{name}-a", half, count, role="assistant"),
        )
        questions = [_fitted(f"{name}-{turn}", QUESTION, count) for turn in range(TURNS)]
        first, *others = questions
        conversations.append(
            Conversation(start=0.0, turns=((persona, *said, first), *((q,) for q in others)), grows=True)
        )
    longest = int((PERSONA + HISTORY) * share) + turns + 4 * _PATTERN
    return Workload(name="chat", new=new, longest=min(longest, context), conversations=tuple(conversations))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlan:
    """A workload as token ids: a turn that grows adds its ids behind the conversation's and its last answer's."""

    new: int
    longest: int
    conversations: tuple[dict[str, Any], ...]

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def plan(workload: Workload, encode: Encode, *, most: int | None = None) -> TokenPlan:
    """The workload's first `most` conversations."""
    found = []
    for conversation in workload.conversations[:most]:
        turns: list[list[int]] = []
        said: list[Message] = []
        for messages in conversation.turns:
            if said and conversation.grows:
                before = [*encode(said)]
                said += [Message(role="assistant", text=""), *messages]
                turns.append(_behind(before, [*encode(said)]))
            else:
                said = [*messages]
                turns.append([*encode(said)])
        found.append({"start": conversation.start, "grows": conversation.grows, "turns": turns})
    return TokenPlan(new=workload.new, longest=workload.longest, conversations=tuple(found))


def _behind(before: list[int], whole: list[int]) -> list[int]:
    same = 0
    while same < min(len(before), len(whole)) and before[same] == whole[same]:
        same += 1
    return whole[same:]


def _fitted(label: str, tokens: int, count: Count, *, role: Any = "user") -> Message:
    """A message whose text makes a prompt of so many tokens, the template's pattern included."""
    text = sized(label, tokens=tokens, count=lambda text: count([Message(role=role, text=text)]))
    return Message(role=role, text=text)


def _spread(number: int) -> float:
    """Numbers in (0, 1) of which any first few are spread evenly (van der Corput)."""
    value, step = 0.0, 0.5
    while number:
        number, bit = divmod(number, 2)
        value += bit * step
        step /= 2
    return value
