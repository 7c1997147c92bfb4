"""The starter's own speed: load, first token, tokens a second, memory."""

import statistics
import time
from datetime import UTC, datetime

import psutil

from bot.knowledge import Library
from bot.personas import Catalog
from bot.prompt import build
from bot.types import Memory, TextDelta
from tests.benchmarks.answers import questions, starter
from tests.benchmarks.report import Row, milliseconds


async def rows() -> list[Row]:
    catalog = Catalog([], language="en", on_problem=print)
    catalog.load()
    library = Library()
    await library.refresh(catalog.all())
    began = time.perf_counter()
    first: list[float] = []
    tokens, spent = 0, 0.0
    async with starter() as engine:
        loaded = time.perf_counter() - began
        for question in questions():
            persona = catalog.get(question.persona)
            prompt = build(
                persona,
                question=question.text,
                passages=await library.search(persona, question.text),
                memory=Memory(),
                language=question.language,
                user="",
                now=datetime.now(UTC),
                context=engine.context,
                count=engine.count_tokens,
            )
            asked = time.perf_counter()
            seen: float | None = None
            async for event in engine.generate(prompt):
                if isinstance(event, TextDelta):
                    seen = seen or time.perf_counter()
                elif seen is not None:
                    first.append(seen - asked)
                    tokens += event.new_tokens
                    spent += time.perf_counter() - seen
        memory = sum(p.memory_info().rss for p in (psutil.Process(), *psutil.Process().children(recursive=True)))
    cuts = statistics.quantiles(first, n=100)
    return [
        Row("starter loads in", f"{loaded:.1f} s"),
        Row("starter's first token", f"p50 {milliseconds(cuts[49])}, p99 {milliseconds(cuts[98])}"),
        Row("starter's speed, one conversation", f"{tokens / spent:.0f} tokens/s"),
        Row("memory with the model's process", f"{memory / 2**20:.0f} MiB"),
    ]
