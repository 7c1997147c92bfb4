"""parley export and parley erase, as an operator uses them, on canaries planted in every table."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.types import Delta, Memory, StoredMessage, TurnStarted
from storage.redis import RedisSettings, open_shared
from storage.sql import SqlSettings, open_store
from tests.cli.terminal import Result, parley
from tests.conformance.memories import summarised
from tests.conformance.records import ANN, BEN, talked
from tests.conformance.samples import SENT_AT, key
from tests.redis_server import RedisServer

FILE = "parley.db"
CANARIES = ("canary-question", "canary-reply", "canary-fact", "canary-comment", "canary-summary", "canary-own", ANN.id)
LOOKED_FOR = [argument for canary in CANARIES for argument in ("--find", canary)]


async def _plant(url: str) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        await talked(store, "before", by=BEN, city="Paris")
        await talked(
            store,
            "canary-comment",
            text="canary-question " * 400,
            reply="canary-reply " * 400,
            order_number="canary-fact",
        )
        after = await talked(store, "after", by=BEN)
        await summarised(store, after, "canary-summary")
        await talked(store, "own", room="canary-own", text="canary-own")
        await talked(store, "bens", by=BEN, room="bens")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    asyncio.run(_plant(f"sqlite+aiosqlite:///{tmp_path / FILE}"))
    return tmp_path


def exported(cwd: Path, *whose: str) -> Sequence[dict[str, object]]:
    result = parley("export", *whose, cwd=cwd)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob(FILE + "*")))


def found(result: Result) -> dict[str, int]:
    lines = [line.rsplit(maxsplit=1) for line in result.out.splitlines() if line.startswith("  ")]
    return {place.strip(): int(number) for place, number in lines}


def test_an_erased_person_is_in_no_table_and_no_file_and_another_s_data_is_as_before(planted: Path) -> None:
    assert all(canary.encode() in bytes_on_disk(planted) for canary in CANARIES)
    before = parley("export", "--person", BEN.encode(), cwd=planted).out
    log = planted / "parley.log"
    log.write_text('{"event": "turn finished", "turn": "x"}\n')
    result = parley("erase", "--person", ANN.encode(), "--yes", "--log", "parley.log", *LOOKED_FOR, cwd=planted)
    assert result.code == 0, result.out + result.err
    hits = found(result)
    assert {"messages.text", "facts.value", "summaries.text", "inbox.event_id", "file parley.db"} <= set(hits)
    assert {"file parley.db-wal", "log parley.log", "records of theirs"} <= set(hits)
    assert not any(hits.values())
    assert not any(canary.encode() in bytes_on_disk(planted) for canary in CANARIES)
    assert parley("export", "--person", BEN.encode(), cwd=planted).out == before
    assert exported(planted, "--person", ANN.encode()) == []


def test_an_erased_conversation_is_gone_and_the_others_are_as_before(planted: Path) -> None:
    before = exported(planted, "--conversation", "web:shop:bens")
    result = parley("erase", "--conversation", "web:shop:canary-own", "-y", "--find", "canary-own", cwd=planted)
    assert (result.code, any(found(result).values())) == (0, False), result.out
    assert exported(planted, "--conversation", "web:shop:canary-own") == []
    assert exported(planted, "--conversation", "web:shop:bens") == before
    assert len(exported(planted, "--conversation", "web:shop:room")) > 5


def test_erase_says_what_will_go_and_does_nothing_without_a_yes(planted: Path) -> None:
    for given in ("n\n", ""):
        result = parley("erase", "--person", ANN.encode(), cwd=planted, given=given)
        assert result.code == 1
        assert "2 turns" in result.out
        assert "4 messages" in result.out
    assert len(exported(planted, "--person", ANN.encode())) > 5
    assert parley("erase", "--person", ANN.encode(), cwd=planted, given="y\n").code == 0
    assert exported(planted, "--person", ANN.encode()) == []


def test_what_is_left_somewhere_is_told_with_exit_1(planted: Path) -> None:
    (planted / "old.log").write_text(f"someone logged {ANN.id} here\n")
    result = parley(
        "erase", "--person", ANN.encode(), "--yes", "--log", "old.log", "--find", "question after", cwd=planted
    )
    assert result.code == 1
    hits = found(result)
    assert hits["log old.log"] == 1
    assert hits["messages.text"] == 1
    assert hits["records of theirs"] == 0


def test_erasing_nobody_says_so_and_is_no_error(planted: Path) -> None:
    result = parley("erase", "--person", "web:nobody-here", "--yes", cwd=planted)
    assert result.code == 0
    assert "Nothing is stored" in result.out


def test_export_writes_a_file_where_told(planted: Path) -> None:
    result = parley("export", "--conversation", "web:shop:bens", "--out", "bens.jsonl", cwd=planted)
    assert (result.code, result.out) == (0, "")
    records = [json.loads(line) for line in (planted / "bens.jsonl").read_text().splitlines()]
    assert [record["record"] for record in records] == ["conversation", "turn", "message", "message", "rating"]
    missing = parley("export", "--conversation", "web:shop:bens", "--out", "no/such/file", cwd=planted)
    assert missing.code == 1
    assert "no/such/file" in missing.complaint


def test_wrong_usage_is_told_in_one_line(planted: Path) -> None:
    for command in ("export", "erase"):
        assert parley(command, cwd=planted).code == 2
        assert parley(command, "--person", "web:a", "--conversation", "web:a:b", cwd=planted).code == 2
        bad = parley(command, "--person", "ann", cwd=planted)
        assert bad.code == 1
        assert "'ann' is not a person" in bad.complaint
        assert parley(command, "--conversation", "web", cwd=planted).code == 1


async def test_while_a_server_has_the_database_open_it_says_to_stop_it(planted: Path) -> None:
    async with open_store(SqlSettings(url=f"sqlite+aiosqlite:///{planted / FILE}")):
        result = await asyncio.to_thread(parley, "erase", "--person", ANN.encode(), "--yes", cwd=planted)
    assert result.code == 1
    assert "parley.db" in result.complaint
    assert exported(planted, "--person", ANN.encode())


async def _warm(redis: str) -> None:
    """What replicas hold in Redis of a conversation that was just talked in."""
    async with open_shared(RedisSettings(url=redis)) as shared:
        said = StoredMessage(id="m", role="user", text="canary-own", turn="t", at=SENT_AT)
        await shared.window.put(key("canary-own"), Memory(version=1, messages=(said,)))
        await shared.bus.append(key("canary-own"), TurnStarted(turn="t", attempt=1))
        await shared.bus.append(key("canary-own"), Delta(turn="t", attempt=1, seq=1, text="canary-own"))
        assert await shared.find("canary-own") == 2


def test_what_redis_holds_goes_too_and_where_it_does_not_answer_that_is_told(
    planted: Path, redis_server: RedisServer
) -> None:
    asyncio.run(_warm(redis_server.url))
    environment = {"REDIS_URL": redis_server.url}
    whose = ("--person", ANN.encode(), "--yes", "--find", "canary-own")
    result = parley("erase", *whose, cwd=planted, environment=environment)
    assert result.code == 0, result.out + result.err
    assert found(result)["redis"] == 0
    redis_server.kill()
    result = parley("erase", *whose, cwd=planted, environment=environment)
    assert result.code == 1
    assert "Redis" in result.err
