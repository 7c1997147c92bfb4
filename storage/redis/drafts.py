"""The text so far of the turns that this replica writes: what stands for events that Redis lacks or cannot hold."""

from collections import OrderedDict
from dataclasses import dataclass

from bot.types import Delta, LiveEvent, TurnReplaced, TurnStarted

_MOST = 10_000


@dataclass(slots=True, kw_only=True)
class Draft:
    """`gap`: an event of this attempt did not reach Redis."""

    turn: str
    attempt: int
    pieces: list[str]
    gap: bool = False

    def whole(self, seq: int) -> TurnReplaced:
        self.pieces = ["".join(self.pieces)]
        return TurnReplaced(turn=self.turn, attempt=self.attempt, seq=seq, text=self.pieces[0])


class Drafts:
    def __init__(self) -> None:
        self._drafts: OrderedDict[str, Draft] = OrderedDict()

    def note(self, key: str, event: LiveEvent) -> Draft | None:
        """The draft that `event` belongs to, with it; None where the turn's text is not known from its beginning."""
        draft = self._drafts.pop(key, None)
        match event:
            case TurnStarted(turn=turn, attempt=attempt):
                draft = Draft(turn=turn, attempt=attempt, pieces=[])
            case TurnReplaced(turn=turn, attempt=attempt, text=text):
                draft = Draft(turn=turn, attempt=attempt, pieces=[text])
            case Delta(turn=turn, attempt=attempt) if draft and (draft.turn, draft.attempt) == (turn, attempt):
                draft.pieces.append(event.text)
            case Delta(turn=turn, attempt=attempt, seq=1):
                draft = Draft(turn=turn, attempt=attempt, pieces=[event.text])
            case _:
                return None
        self._drafts[key] = draft
        if len(self._drafts) > _MOST:
            self._drafts.popitem(last=False)
        return draft

    def forget(self, key: str) -> None:
        self._drafts.pop(key, None)
