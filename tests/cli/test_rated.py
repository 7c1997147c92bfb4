"""parley export --rated, as an operator uses it."""

import asyncio
from pathlib import Path

from bot.training.corpus import chats
from bot.types import Rating
from storage.sql import SqlSettings, open_store
from tests.cli.terminal import parley
from tests.conformance.records import SOURCE, talked

PERSONA = """\
schema: parley.persona/v1
name: tutor
description: teaches
instructions: Teach.
"""


async def _talk(url: str) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        told = Rating(rating="up", may_train=True)
        for event, rating in (("e1", told), ("e2", Rating(rating="down")), ("e3", Rating(rating="up"))):
            turn = await talked(store, event, text=f"{event}: I am ann@example.com", sources=(SOURCE,))
            await store.turns.rate(turn, rating)


def test_rated_answers_are_written_for_training_and_the_rest_is_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "personas").mkdir()
    persona = tmp_path / "personas" / "tutor.yaml"
    persona.write_text(PERSONA)
    asyncio.run(_talk(f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}"))

    refused = parley("export", "--rated", "--out", "chats.jsonl", cwd=tmp_path)
    assert refused.code == 1
    assert "train_on_rated" in refused.complaint
    assert not (tmp_path / "chats.jsonl").exists()

    persona.write_text(PERSONA + "memory: {train_on_rated: true}\n")
    done = parley("export", "--rated", "--out", "chats.jsonl", cwd=tmp_path)
    assert done.code == 0, done.err
    [chat] = chats(tmp_path / "chats.jsonl")
    assert [message.role for message in chat] == ["system", "user", "assistant"]
    assert "ann@example.com" not in chat[1].text
    assert SOURCE.text in chat[1].text
    assert chat[1].text.endswith("e1: I am [email]")
    assert chat[2].text == "reply e1"
    for number_and_reason in ("1 chats", "1 rated as bad", "1 rated before people were told", "1 [email]"):
        assert number_and_reason in done.err

    later = parley("export", "--rated", "--persona", "tutor", "--since", "2999-01-01", cwd=tmp_path)
    assert (later.code, later.out) == (0, "")
    other = parley("export", "--rated", "--persona", "support", cwd=tmp_path)
    assert other.code == 1
    assert "'support'" in other.complaint
