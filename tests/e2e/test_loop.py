"""The closed loop on a tiny model: what people rated as good is exported, learnt, put before the gate, taken over by a
running Parley, and taken back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig
from typer.testing import CliRunner

from bot.cli import cli
from bot.training import tokenizer as bpe
from bot.training.tune import tune
from bot.types import Rating
from storage.sql import SqlSettings, open_store
from tests.conformance.records import talked
from tests.e2e.server import Client, running

ANSWER = "The answer is blue."
PERSONA = f"""\
schema: parley.persona/v1
name: tutor
description: Knows one answer.
instructions: Answer.
model: {{temperature: 0, max_tokens: 24}}
memory: {{train_on_rated: true, history_tokens: 0}}
checks: [{{user: Question 7?, expect: {{contains: [{ANSWER}]}}}}]
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A model folder with random weights."""
    folder = tmp_path / "base"
    tokenizer = bpe.train([f"Answer. Question {n}? {ANSWER}" for n in range(50)], vocabulary=320, context=96)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=96, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


async def parley(*arguments: str) -> str:
    """What a command prints, run within this process: its start would take longer than its work."""
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
    assert result.exit_code == 0, result.output
    return result.output


async def rate(folder: Path) -> None:
    """Forty answers that people liked, and one that they did not."""
    async with open_store(SqlSettings(url=f"sqlite+aiosqlite:///{folder / 'parley.db'}")) as store:
        for n in range(40):
            turn = await talked(store, f"e{n}", text=f"Question {n}?", reply=ANSWER)
            await store.turns.rate(turn, Rating(rating="up", may_train=True))
        bad = await talked(store, "bad", text="Question 7?", reply="The answer is red.")
        await store.turns.rate(bad, Rating(rating="down", may_train=True))


async def until_said(client: Client, *, right: bool) -> None:
    async with asyncio.timeout(240):
        for number in range(10_000):
            turn = (await client.say("Question 7?", client_id=f"{right}-{number}"))["turn"]
            await client.until_finished(turn)
            if (client.shown[turn] == ANSWER) is right:
                return
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_what_people_liked_is_learnt_gated_taken_over_while_parley_runs_and_taken_back(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.cli.logs.configure", lambda *_, **__: None)  # it is for good, and for a whole process
    await rate(tmp_path)
    sections = {"engine": {"model": str(base)}, "limits": {"user": None, "conversation": None}}
    async with running(tmp_path, answer="", delay=0.0, **sections) as server:
        (tmp_path / "personas" / "tutor.yaml").write_text(PERSONA)
        assert "40 chats" in await parley("export", "--rated", "--out", "chats.jsonl")
        chats, run = (Path("chats.jsonl"),), Path("runs/acme")
        assert tune(model=base, data=chats, out=run, epochs=30, rows=10, rate=1e-2, threads=1)
        client = Client(server)
        await client.open("tutor")
        await until_said(client, right=False)
        assert "1 of 1 checks, 0 before" in await parley("model", "use", "runs/acme/model")
        await until_said(client, right=True)
        await parley("model", "rollback")
        await until_said(client, right=False)
        await client.http.aclose()
