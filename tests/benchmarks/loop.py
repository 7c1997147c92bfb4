"""The closed loop on the starter: quotations that a person would rate as good become chats, the chats an adapter, and
the model answers the persona's held-back questions by itself, before and after."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal

from ruamel.yaml import YAML

from bot.engine import plugin as engine_plugin
from bot.engine.client import local_folder
from bot.knowledge import Library
from bot.models import until_ready
from bot.personas import Catalog
from bot.personas.catalog import BUILTIN
from bot.ports import Engine
from bot.ratings import Chat, chat_of
from bot.rehearsal import rehearse
from bot.types import LocalText, Persona, RatedTurn, Rating, StoredMessage
from tests.benchmarks.answers import Unguarded, ask, questions
from tests.benchmarks.report import Row

PERSONA, CHATS, EPOCHS = "tutor", 200, 4
RATE = 1e-3  # a small model takes more than the default


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor asks, and the entry of the material that answers it."""

    text: str
    entry: str


def visitors() -> Iterator[Asked]:
    """The questions and headings that the material itself brings; none of them is held back."""
    for file in sorted((BUILTIN / "kb" / PERSONA).rglob("*.*")):
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".yaml":
            for entry in YAML(typ="safe", pure=True).load(text):
                yield from (Asked(asked, entry["question"]) for asked in (entry["question"], *entry.get("also", ())))
        else:
            headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
            yield from (Asked(heading, heading) for heading in headings)


@asynccontextmanager
async def starter(answers: Literal["model", "quotes"], **adapters: str) -> AsyncIterator[Engine]:
    async with engine_plugin.open(engine_plugin.settings(grounded_answers=answers, adapters=adapters)) as engine:
        await until_ready(engine)
        yield engine


async def rated(persona: Persona, library: Library) -> list[Chat]:
    """Chats of the first answers that quote the entry which was asked for; that is what people rate as good."""
    asked = list(visitors())
    Random(0).shuffle(asked)
    chats: list[Chat] = []
    async with starter("quotes") as engine:
        for number, question in enumerate(asked):
            now = datetime.now(UTC)
            draft = await rehearse(
                question.text, persona, knowledge=library, engine=engine, now=lambda: datetime.now(UTC)
            )
            if not (draft.sources and draft.sources[0].title.endswith(question.entry)):
                continue
            turn = f"t{number}"
            answer = StoredMessage(
                id=f"a{number}", role="assistant", text=draft.text, turn=turn, at=now, sources=draft.sources
            )
            chat = chat_of(
                RatedTurn(
                    turn=turn,
                    persona=persona.name,
                    locale=None,
                    question=(StoredMessage(id=f"q{number}", role="user", text=question.text, turn=turn, at=now),),
                    answer=answer,
                    rating=Rating(rating="up", may_train=True),
                    rated_at=now,
                ),
                persona,
                zone=UTC,
            )
            if isinstance(chat, Chat):
                chats.append(chat)
            if len(chats) == CHATS:
                break
    return chats


async def learn(chats: list[Chat], folder: Path) -> Path:
    base, data, out = local_folder("starter"), folder / "chats.jsonl", folder / "run"
    with data.open("w", encoding="utf-8") as file:
        for chat in chats:
            messages = [{"role": message.role, "content": message.text} for message in chat.messages]
            file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
    command = f"train finetune --lora --model {base} --data {data} --out {out} --epochs {EPOCHS} --rate {RATE}"
    parley = Path(sys.executable).with_name("parley")
    process = await asyncio.create_subprocess_exec(parley, *command.split(), stderr=DEVNULL)
    if await process.wait():
        raise RuntimeError(f"parley {command} ended with {process.returncode}")
    return out / "adapter"


async def right(persona: Persona, library: Library, engine: Engine, *, verbose: bool) -> str:
    count = {"with guard": 0, "without guard": 0}
    asked = [question for question in questions() if question.persona == PERSONA]
    for question in asked:
        for way, knowledge in (("with guard", library), ("without guard", Unguarded(library))):
            answer = await ask(question, persona, knowledge, engine)
            is_right = question.is_right(answer, persona)
            count[way] += is_right
            if verbose:
                print(f"{'+' if is_right else '-'} {persona.adapter or 'before'} [{way}] {question.text}\n    {answer}")
    return ", ".join(f"{way} {number}/{len(asked)}" for way, number in count.items())


async def rows(*, verbose: bool = False) -> list[Row]:
    catalog = Catalog([], language="en", on_problem=print)
    catalog.load()
    library = Library()
    await library.refresh(catalog.all())
    persona = replace(catalog.get(PERSONA), rating_notice=LocalText({"en": "What you rate as good may train me."}))
    with TemporaryDirectory() as folder:
        chats = await rated(persona, library)
        adapter = await learn(chats, Path(folder))
        async with starter("model", learnt=str(adapter)) as engine:
            before = await right(persona, library, engine, verbose=verbose)
            after = await right(replace(persona, adapter="learnt"), library, engine, verbose=verbose)
    return [
        Row(f"{PERSONA}, held-back questions right, before", before),
        Row(f"{PERSONA}, after LoRA on {len(chats)} rated chats", after),
    ]
