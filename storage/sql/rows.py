"""Rows become the values of bot.types, and values become what the columns hold."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.types import (
    Budget,
    Conversation,
    ConversationKey,
    Delivery,
    JobRun,
    ModelChoice,
    Source,
    StoredMessage,
    Turn,
    TurnState,
)
from storage.sql.models import conversations, messages, outbox, turns

CONVERSATION = (
    conversations.c.key,
    conversations.c.persona,
    conversations.c.locale,
    conversations.c.created_at,
    conversations.c.secret_hash,
    conversations.c.visitor,
)
MESSAGE = (
    messages.c.id,
    messages.c.role,
    messages.c.text,
    messages.c.turn,
    messages.c.at,
    messages.c.author,
    messages.c.author_id,
    messages.c.sources,
)
TURN = (
    turns.c.id,
    turns.c.conversation,
    turns.c.persona,
    turns.c.persona_version,
    turns.c.state,
    turns.c.attempt,
    turns.c.epoch,
    turns.c.text,
    turns.c.stop_requested,
    turns.c.message,
    turns.c.shown,
)
DELIVERY = (outbox.c.state.label("outcome"), outbox.c.attempts, turns.c.attempt.label("tries"), turns.c.shown, *MESSAGE)


def to_conversation(row: Any) -> Conversation:
    return Conversation(
        key=ConversationKey.decode(row.key),
        persona=row.persona,
        locale=row.locale,
        created_at=to_time(row.created_at),
        secret_hash=row.secret_hash,
        visitor=row.visitor,
    )


def to_message(row: Any) -> StoredMessage:
    return StoredMessage(
        id=row.id,
        role=row.role,
        text=row.text,
        turn=row.turn,
        at=to_time(row.at),
        author=row.author,
        author_id=row.author_id,
        sources=tuple(Source(**source) for source in row.sources or ()),
    )


def to_turn(row: Any, *, locale: str | None) -> Turn:
    return Turn(
        id=row.id,
        conversation=ConversationKey.decode(row.conversation),
        persona=row.persona,
        persona_version=row.persona_version,
        state=TurnState(row.state),
        attempt=row.attempt,
        epoch=row.epoch,
        locale=locale,
        text=row.text,
        stop_requested=row.stop_requested,
        message=row.message,
        shown=row.shown,
    )


def to_delivery(row: Any, conversation: ConversationKey) -> Delivery:
    """The next attempt to show a reply."""
    return Delivery(
        turn=row.turn,
        conversation=conversation,
        state=TurnState(row.outcome),
        message=to_message(row),
        attempt=row.attempts + 1,
        tries=row.tries,
        shown=row.shown,
    )


def to_run(row: Any) -> JobRun:
    return JobRun(
        job=row.job,
        fire=row.fire,
        holder=row.holder,
        started_at=to_time(row.started_at),
        finished_at=None if row.finished_at is None else to_time(row.finished_at),
        error=row.error,
    )


def to_choice(row: Any) -> ModelChoice:
    return ModelChoice(
        id=row.seq,
        model=row.model,
        note=row.note,
        at=to_time(row.at),
        undone_at=None if row.undone_at is None else to_time(row.undone_at),
    )


def to_time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def from_sources(sources: Sequence[Source]) -> list[dict[str, str]] | None:
    return [asdict(source) for source in sources] or None


def from_budget(budget: Budget | None) -> dict[str, Any] | None:
    return asdict(budget) if budget else None
