"""What the database says of a conversation: the turns a reader has missed, and the one that runs."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.ports import Store
from bot.types import ConversationKey, StoredMessage, Turn, TurnFinished, TurnState

PAGE = 50
PAGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """From which turn on a reader needs news: with it, or, where its end is known, only after it."""

    turn: str
    inclusive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`finished` in order; `running` as its progress was last saved; `waiting`: a turn has not begun yet.

    `awaited` is the turn that the reader follows, where it has not ended: it runs, or was handed back and begins again.
    """

    finished: tuple[TurnFinished, ...] = ()
    running: Turn | None = None
    waiting: bool = False
    awaited: str | None = None


async def read_view(store: Store, key: ConversationKey, *, since: Since | None, told: Collection[str]) -> View:
    """The conversation from `since` on (None: its newest turn only) without the ends of turns in `told`."""
    newest = await store.turns.newest(key)
    if newest is None:
        return View()
    awaited = await _awaited(store, newest, since)
    if newest.state.is_final and newest.id in told and awaited is None:
        return View()
    replies = await _replies(store, key, since)
    if since is None:
        replies = [reply for reply in replies if reply.turn == newest.id]
    ended = [
        TurnFinished(turn=reply.turn, status=await _state(store, reply.turn), message=reply)
        for reply in replies
        if reply.turn not in told
    ]
    return View(
        finished=tuple(ended),
        running=newest if newest.state is TurnState.RUNNING else None,
        waiting=newest.state is TurnState.QUEUED,
        awaited=awaited,
    )


async def _awaited(store: Store, newest: Turn, since: Since | None) -> str | None:
    """Asked for before the replies are read: a turn that has ended by then is among these, unless it was erased."""
    if since is None or not since.inclusive:
        return None
    turn = newest if newest.id == since.turn else await store.turns.get(since.turn)
    return turn.id if turn is not None and not turn.state.is_final else None


async def _replies(store: Store, key: ConversationKey, since: Since | None) -> list[StoredMessage]:
    """The replies from `since` on, oldest first; without it, or where it is too long ago, those of the newest page."""
    found: list[StoredMessage] = []
    before: str | None = None
    for _ in range(PAGES if since else 1):
        page = await store.conversations.messages(key, before=before, limit=PAGE)
        found[:0] = page
        first = next((number for number, message in enumerate(page) if since and message.turn == since.turn), None)
        if since is not None and first is not None:
            gone = None if since.inclusive else since.turn
            return [message for message in found[first:] if message.role == "assistant" and message.turn != gone]
        if len(page) < PAGE:
            break
        before = page[0].id
    return [message for message in found[-PAGE:] if message.role == "assistant"]


async def _state(store: Store, turn: str) -> TurnState:
    """A reply is stored together with its turn's final state; an erased turn counts as failed."""
    found = await store.turns.get(turn)
    return found.state if found is not None and found.state.is_final else TurnState.FAILED
