"""The database behind the core. SQL is the truth."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Literal, Protocol

from bot.ports.records import Records
from bot.types import (
    Accepted,
    Bounds,
    Change,
    Claim,
    Conversation,
    ConversationKey,
    DayCount,
    Delivery,
    FailedTurn,
    Inbound,
    JobRun,
    Memory,
    ModelChoice,
    Outcome,
    Overlap,
    Rating,
    Retracted,
    StoredMessage,
    Summary,
    Turn,
    TurnState,
    Work,
)


class Conversations(Protocol):
    async def open(
        self,
        key: ConversationKey,
        *,
        persona: str,
        locale: str | None = None,
        secret_hash: str | None = None,
        visitor: str | None = None,
    ) -> Conversation:
        """Create the conversation, or return it unchanged where it exists."""
        ...

    async def get(self, key: ConversationKey) -> Conversation | None: ...

    async def messages(
        self, key: ConversationKey, *, before: str | None = None, limit: int = 50
    ) -> tuple[StoredMessage, ...]:
        """The newest `limit` messages (older than message `before`), oldest first, in the order of their turns."""
        ...

    async def erase(self, key: ConversationKey) -> None:
        """Delete everything of the conversation. A turn in flight is fenced out. Unknown keys are no error."""
        ...


class Intake(Protocol):
    """Idempotent on (channel, tenant, event_id) and on (channel, tenant, message_id): a repetition returns the first
    turn with `duplicate`. Returns only after the commit is on disk. Raises StoreUnavailable; then nothing was stored.
    """

    async def accept(
        self,
        inbound: Inbound,
        *,
        persona: str,
        overlap: Callable[[str], Overlap] = lambda persona: "queue",
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        busy: str = "",
    ) -> Accepted:
        """Commit the message and its turn, creating the conversation with `persona` where it is new.

        `overlap` tells by the name of the conversation's persona what becomes of a message that comes in while
        others wait or one is being answered: `queue` gives it a turn of its own, `merge` lets it join the turn that
        waits, `interrupt` does the same and asks the running turn to stop (`Accepted.interrupts`).
        Where `bounds` leave no room, the message is answered with `busy` (`Accepted.shed`), as by `answer`.
        """
        ...

    async def answer(
        self,
        inbound: Inbound,
        *,
        persona: str,
        reply: str,
        state: Literal[TurnState.DONE, TurnState.FAILED] = TurnState.DONE,
        change: Change | None = None,
    ) -> Accepted:
        """Commit the message together with its reply (`Work.reply`): its turn comes in order and needs no engine.

        FAILED marks a message that was turned away (`Accepted.shed`); where the turn of an earlier one still waits,
        it joins that. What else `change` asks for happens in the same transaction.
        """
        ...

    async def edit(self, channel: str, tenant: str, message_id: str, *, text: str) -> bool:
        """Change a question whose answer has not begun. False where that is too late, or it is not known."""
        ...

    async def retract(self, channel: str, tenant: str, message_id: str) -> Retracted | None:
        """Delete a message that its author took back, with the reply and all that rests on it; None where unknown.

        A turn that waits with other questions loses only this one. Whoever answers it is fenced out.
        """
        ...


class Claims(Protocol):
    async def claim(
        self, holder: str, *, channels: Collection[str], lease: timedelta, ready: bool = False
    ) -> Claim | None:
        """Take the conversation of these channels that waits longest and is free, and add 1 to its epoch.

        None where none waits. `ready` takes only those whose waiting turns need no engine: their replies are there.

        A conversation waits while it has an unfinished turn or an undelivered reply; it is free without a
        running lease.
        """
        ...

    async def renew(self, claim: Claim, *, lease: timedelta) -> None:
        """Raises LeaseLost."""
        ...

    async def release(self, claim: Claim, *, rest: timedelta = timedelta()) -> None:
        """Give the conversation back, claimable after `rest`. No error where the claim was lost."""
        ...


class Turns(Protocol):
    """Every write with a claim is conditional on its epoch and raises LeaseLost."""

    async def begin(self, claim: Claim, *, history: int, kept: Memory | None = None) -> Work | None:
        """Start the oldest unfinished turn: state running, attempt + 1. None where none is left.

        `history` bounds the number of earlier messages in `Work.memory`. `kept` is the conversation's memory as a
        window holds it, taken as it is where its version is the current one.
        """
        ...

    async def place(self, turn: Turn, shown: str) -> None:
        """Note where this attempt shows the reply: `Turn.shown` of later attempts, `Delivery.shown`.

        Raises LeaseLost where another attempt has begun.
        """
        ...

    async def save(self, claim: Claim, turn: str, *, text: str) -> bool:
        """Save the progress of a running turn. Whether it was asked to stop meanwhile."""
        ...

    async def hand_back(self, claim: Claim, turn: str) -> None:
        """Queue a running turn again, this attempt not counted: its holder leaves in good order."""
        ...

    async def finish(self, claim: Claim, turn: str, outcome: Outcome) -> Delivery:
        """In one transaction: the reply, the turn's final state, its receipt, and the outbox row.

        The stored text is `outcome.text` to the byte. Returns the delivery now pending in the outbox.
        """
        ...

    async def get(self, turn: str) -> Turn | None: ...

    async def unfinished(self, channel: str, tenant: str, room: str) -> tuple[str, ...]:
        """The turns of a room, in any of its threads, that nobody has finished, oldest first."""
        ...

    async def newest(self, key: ConversationKey) -> Turn | None:
        """The conversation's newest turn that has begun; else its oldest queued one; None where it has none."""
        ...

    async def asked(self, turn: str) -> tuple[str, ...]:
        """The event ids of the messages that the turn answers, in the order in which they came; for two days."""
        ...

    async def request_stop(self, turn: str) -> Turn | None:
        """Mark an unfinished turn to be stopped; a finished one stays as it is. None where unknown."""
        ...

    async def rate(self, turn: str, rating: Rating) -> bool:
        """Store or replace the turn's rating. False where the turn is unknown."""
        ...


class Outbox(Protocol):
    async def pending(self, claim: Claim) -> tuple[Delivery, ...]:
        """The undelivered replies of the claimed conversation, in the order of their turns. Raises LeaseLost.

        Each is about to be sent: its `attempt` is counted. (`Turns.finish` counts the first one.)
        """
        ...

    async def sent(self, claim: Claim, turn: str) -> bool:
        """Mark one delivered. Whether the conversation still waits; where it does not, the claim is given back too.

        Raises LeaseLost.
        """
        ...

    async def give_up(self, claim: Claim, turn: str, *, error: str) -> None:
        """Set one aside that can never be shown: it waits no longer and is among the failed turns."""
        ...


class Failures(Protocol):
    """Turns set aside."""

    async def newest(self, *, limit: int = 100) -> tuple[FailedTurn, ...]:
        """Turns that failed or whose reply could not be delivered, newest first; not those turned away."""
        ...

    async def retry(self, turn: str) -> str | None:
        """Ask the question of a failed turn again in a new turn, or queue an undelivered reply again.

        The turn that waits now; None where `turn` is not among the failed ones.
        """
        ...


class Memories(Protocol):
    """What stays of a conversation beyond the messages that fit."""

    async def read(self, key: ConversationKey, *, messages: int = 0) -> Memory | None:
        """The newest summary, the facts, and the newest `messages` after it; None for an unknown conversation."""
        ...

    async def overflowed(self, *, limit: int) -> tuple[ConversationKey, ...]:
        """Conversations in which a summary is wanted, those that wait longest first."""
        ...

    async def uncovered(self, key: ConversationKey, *, limit: int) -> tuple[StoredMessage, ...]:
        """The oldest messages of finished turns that no summary covers, oldest first."""
        ...

    async def summarise(
        self, key: ConversationKey, summary: Summary, *, of: Collection[str], after: Summary | None = None
    ) -> bool:
        """Keep a summary up to and including its turn, and want none for now. False where nothing is kept.

        `of` are the ids of the messages it was made of, `after` the summary it goes on from: where one of them is
        gone or replaced meanwhile, nothing is kept of it.
        """
        ...


class Rooms(Protocol):
    """Which persona answers in a room, where somebody there has chosen one."""

    async def bind(self, channel: str, tenant: str, room: str, persona: str | None) -> None:
        """New conversations of the room begin with `persona`, and the one of the room itself goes on with it.
        None undoes the choice."""
        ...

    async def bound(self, channel: str, tenant: str) -> Mapping[str, str]:
        """The persona of each room that has one."""
        ...


class Vault(Protocol):
    """Small texts by their names, for channels: what they put in that is secret they seal first."""

    async def put(self, name: str, text: str) -> None: ...

    async def get(self, name: str) -> str | None: ...

    async def delete(self, name: str) -> None: ...

    async def names(self, prefix: str) -> tuple[str, ...]:
        """The names that begin so, in order."""
        ...


class Models(Protocol):
    """Which model answers, where somebody has chosen one. Choices are stacked: the newest not taken back counts."""

    async def use(self, model: str, *, note: str = "") -> ModelChoice:
        """Choose a model, by what `engine.model` would be; `note` says why."""
        ...

    async def rollback(self) -> ModelChoice | None:
        """Take the current choice back, for good. The choice that was taken back; None where there was none."""
        ...

    async def current(self) -> ModelChoice | None:
        """None: the settings tell which model answers."""
        ...

    async def history(self, *, limit: int = 100) -> tuple[ModelChoice, ...]:
        """The newest choices, newest first, with those taken back."""
        ...


class Offices(Protocol):
    """What only one replica does at a time, by name."""

    async def hold(self, name: str, *, holder: str, lease: timedelta) -> bool:
        """Take the office, or keep it for so long from now. False where somebody else has it."""
        ...

    async def leave(self, name: str, *, holder: str) -> None:
        """Give it up, for the next to take at once. No error where it was lost."""
        ...


class Jobs(Protocol):
    """One run per fire time, over any number of replicas."""

    async def begin(self, job: str, fire: str, *, holder: str, lease: timedelta) -> bool:
        """Take the run of `job` at `fire`. False where somebody has it, or had it and finished.

        A run whose lease ended before it finished may be taken again.
        """
        ...

    async def finish(self, job: str, fire: str, *, holder: str, error: str | None = None) -> None: ...

    async def abandoned(self, *, limit: int = 100) -> tuple[JobRun, ...]:
        """Runs that nobody finished within their lease, oldest first."""
        ...

    async def recent(self, *, limit: int = 100) -> tuple[JobRun, ...]:
        """The newest runs, newest first."""
        ...

    async def prune(self, *, before: datetime) -> None:
        """Delete the runs that began before, but for those under way."""
        ...


class Statistics(Protocol):
    """What was answered on each day, by persona and channel. Counts alone; they outlive what they were counted from."""

    async def refresh(self, day: date, *, zone: tzinfo) -> None:
        """Count the turns that finished on `day` in that time zone. Nothing becomes less by what was erased since."""
        ...

    async def newest(self) -> date | None:
        """The last day with anything counted."""
        ...

    async def since(self, day: date) -> tuple[DayCount, ...]:
        """The counts from `day` on, by day, persona and channel."""
        ...


class Store(Protocol):
    """SQL is the truth. Open one with `async with`; all parts share its connections."""

    @property
    def conversations(self) -> Conversations: ...
    @property
    def intake(self) -> Intake: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def turns(self) -> Turns: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def failures(self) -> Failures: ...
    @property
    def memories(self) -> Memories: ...
    @property
    def records(self) -> Records: ...

    @property
    def rooms(self) -> Rooms: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def models(self) -> Models: ...
    @property
    def offices(self) -> Offices: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def statistics(self) -> Statistics: ...

    async def check(self) -> None:
        """Raises StoreUnavailable where the database does not answer or cannot be written."""
        ...
