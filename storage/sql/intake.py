"""Intake: a message and its turn, committed once however often the platform delivers it."""

from collections.abc import Callable
from typing import Literal

from sqlalchemy import Connection, bindparam, func, or_, select, update

from bot.types import Accepted, Bounds, Change, ConversationKey, Inbound, Overlap, Retracted, TurnState, new_id
from storage.sql.arriving import Arriving
from storage.sql.conversations import new_conversation
from storage.sql.database import Database
from storage.sql.editing import edit, retract
from storage.sql.models import conversations, inbox, rooms
from storage.sql.prepared import Prepared

_FIRST = Prepared(
    select(inbox.c.turn)
    .where(
        inbox.c.channel == bindparam("channel"),
        inbox.c.tenant == bindparam("tenant"),
        or_(inbox.c.event_id == bindparam("event_id"), inbox.c.message_id == bindparam("message_id")),
    )
    .order_by(inbox.c.at)
    .limit(1)
)
_bound = select(rooms.c.persona).where(
    rooms.c.channel == bindparam("in_channel"),
    rooms.c.tenant == bindparam("in_tenant"),
    rooms.c.room == bindparam("in_room"),
)
_BIND = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("of_key"), _bound.exists())
    .values(persona=_bound.scalar_subquery())
    .returning(conversations.c.persona)
)


class SqlIntake:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._remember = Prepared(
            database.insert(inbox).on_conflict_do_nothing().returning(inbox.c.turn),
            columns=("channel", "tenant", "event_id", "message_id", "turn", "at"),
        )
        new = database.insert(conversations)
        self._wait = Prepared(
            new.on_conflict_do_update(
                index_elements=[conversations.c.key],
                set_={
                    "waiting_since": func.coalesce(conversations.c.waiting_since, new.excluded.waiting_since),
                    "active_at": new.excluded.active_at,
                },
            ).returning(conversations.c.persona, conversations.c.epoch, conversations.c.memory),
            columns=(
                "key",
                "channel",
                "tenant",
                "persona",
                "locale",
                "created_at",
                "epoch",
                "active_at",
                "waiting_since",
            ),
        )

    async def accept(
        self,
        inbound: Inbound,
        *,
        persona: str,
        overlap: Callable[[str], Overlap] = lambda persona: "queue",
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        busy: str = "",
    ) -> Accepted:
        def work(connection: Connection) -> Accepted:
            message = self._receive(connection, inbound, persona=persona)
            return message if isinstance(message, Accepted) else message.queue(overlap, bounds, busy)

        return await self._database.write(work)

    async def answer(
        self,
        inbound: Inbound,
        *,
        persona: str,
        reply: str,
        state: Literal[TurnState.DONE, TurnState.FAILED] = TurnState.DONE,
        change: Change | None = None,
    ) -> Accepted:
        def work(connection: Connection) -> Accepted:
            message = self._receive(connection, inbound, persona=persona)
            if isinstance(message, Accepted):
                return message
            if change is not None:
                message.change(change)
            return message.settle(reply, state)

        return await self._database.write(work)

    def _receive(self, connection: Connection, inbound: Inbound, *, persona: str) -> Arriving | Accepted:
        """Let the conversation wait, made where it is new; what became of the message where it was here before."""
        key, turn, now = inbound.conversation, new_id(), self._database.now(connection)
        delivery = {
            "channel": key.channel,
            "tenant": key.tenant,
            "event_id": inbound.event_id,
            "message_id": inbound.message_id,
        }
        while not self._remember(connection, delivery | {"turn": turn, "at": now}):
            first = _FIRST.first(connection, delivery)
            if first is not None:  # else it was erased this very moment
                return Accepted(turn=first.turn, duplicate=True)
        new = new_conversation(key, persona=persona, locale=inbound.locale, now=now) | {"waiting_since": now}
        its = self._wait.first(connection, new)
        is_new = its.epoch == new["epoch"] and its.memory == 0
        bound = _BIND.first(connection, {"of_key": key.encode(), **_room(key)}) if is_new else None
        return Arriving(
            connection=connection,
            inbound=inbound,
            persona=its.persona if bound is None else bound.persona,
            turn=turn,
            now=now,
            new=is_new,
        )

    async def edit(self, channel: str, tenant: str, message_id: str, *, text: str) -> bool:
        message = {"channel": channel, "tenant": tenant, "platform_id": message_id}
        return await self._database.write(lambda connection: edit(connection, message, text=text))

    async def retract(self, channel: str, tenant: str, message_id: str) -> Retracted | None:
        def work(connection: Connection) -> Retracted | None:
            message = {"channel": channel, "tenant": tenant, "platform_id": message_id}
            return retract(connection, message, now=self._database.now(connection))

        return await self._database.write(work)


def _room(key: ConversationKey) -> dict[str, str]:
    return {"in_channel": key.channel, "in_tenant": key.tenant, "in_room": key.room}
