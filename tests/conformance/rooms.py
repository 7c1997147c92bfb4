"""What rooms, the vault, models and offices keep to. Subclass and give it `store` and `clock` fixtures."""

import asyncio
from datetime import timedelta

from bot.ports import Store
from tests.conformance.samples import Clock, accept, inbound, key

LEASE = timedelta(seconds=15)


class RoomContract:
    async def test_a_new_conversation_has_the_persona_that_its_room_is_bound_to(self, store: Store) -> None:
        await store.rooms.bind("web", "shop", "room", "writer")
        await store.rooms.bind("web", "other", "elsewhere", "storyteller")
        assert await store.rooms.bound("web", "shop") == {"room": "writer"}
        turn = await store.turns.get(await accept(store, "e1"))
        other = await store.turns.get(await accept(store, "e2", room="elsewhere"))
        assert turn is not None
        assert other is not None
        assert (turn.persona, other.persona) == ("writer", "tutor")

    async def test_binding_again_replaces_and_binding_to_nobody_undoes(self, store: Store) -> None:
        await store.rooms.bind("web", "shop", "room", "writer")
        await store.rooms.bind("web", "shop", "room", "tutor")
        assert await store.rooms.bound("web", "shop") == {"room": "tutor"}
        await store.rooms.bind("web", "shop", "room", None)
        assert await store.rooms.bound("web", "shop") == {}

    async def test_the_conversation_of_the_room_itself_goes_on_with_the_new_persona(self, store: Store) -> None:
        await accept(store, "e1")
        await store.rooms.bind("web", "shop", "room", "writer")
        found = await store.conversations.get(key())
        assert found is not None
        assert found.persona == "writer"
        turn = await store.turns.get((await store.intake.accept(inbound("e2"), persona="tutor")).turn)
        assert turn is not None
        assert turn.persona == "writer"


class VaultContract:
    async def test_what_is_put_in_is_there_until_it_is_deleted(self, store: Store) -> None:
        assert await store.vault.get("slack:T1") is None
        await store.vault.put("slack:T1", "sealed 一")
        await store.vault.put("slack:T1", "sealed 二")
        await store.vault.put("slack:T2", "x")
        await store.vault.put("slack%T3", "x")
        assert await store.vault.get("slack:T1") == "sealed 二"
        assert await store.vault.names("slack:") == ("slack:T1", "slack:T2")
        await store.vault.delete("slack:T1")
        await store.vault.delete("slack:T1")
        assert await store.vault.get("slack:T1") is None


class ModelContract:
    async def test_the_newest_choice_counts_and_taking_it_back_brings_the_one_before(
        self, store: Store, clock: Clock
    ) -> None:
        assert await store.models.current() is None
        assert await store.models.rollback() is None
        first = await store.models.use("models/one", note="a start")
        clock.pass_(LEASE)
        second = await store.models.use("models/two")
        assert second.at - first.at == LEASE
        assert (first.model, first.note, first.undone_at) == ("models/one", "a start", None)
        assert await store.models.current() == second
        undone = await store.models.rollback()
        assert undone is not None
        assert (undone.id, undone.undone_at) == (second.id, second.at)
        assert await store.models.current() == first
        third = await store.models.use("models/one")
        assert third.id > second.id
        assert await store.models.history() == (third, undone, first)
        assert await store.models.history(limit=1) == (third,)
        assert [back and back.id for back in [await store.models.rollback() for _ in range(3)]] == [
            *(third.id, first.id, None)
        ]
        assert await store.models.current() is None


class OfficeContract:
    async def test_one_holds_an_office_until_the_lease_ends(self, store: Store, clock: Clock) -> None:
        assert await store.offices.hold("shard 0", holder="a", lease=LEASE)
        assert not await store.offices.hold("shard 0", holder="b", lease=LEASE)
        assert await store.offices.hold("shard 1", holder="b", lease=LEASE)
        clock.pass_(LEASE / 2)
        assert await store.offices.hold("shard 0", holder="a", lease=LEASE)
        clock.pass_(LEASE / 2)
        assert not await store.offices.hold("shard 0", holder="b", lease=LEASE)
        clock.pass_(LEASE / 2)
        assert await store.offices.hold("shard 0", holder="b", lease=LEASE)
        assert not await store.offices.hold("shard 0", holder="a", lease=LEASE)

    async def test_who_leaves_makes_room_at_once_and_only_for_their_own(self, store: Store) -> None:
        await store.offices.hold("shard 0", holder="a", lease=LEASE)
        await store.offices.leave("shard 0", holder="b")
        assert not await store.offices.hold("shard 0", holder="b", lease=LEASE)
        await store.offices.leave("shard 0", holder="a")
        assert await store.offices.hold("shard 0", holder="b", lease=LEASE)

    async def test_of_many_at_once_one_gets_it(self, store: Store) -> None:
        tried = await asyncio.gather(*(store.offices.hold("shard 0", holder=f"h{n}", lease=LEASE) for n in range(20)))
        assert sum(tried) == 1
