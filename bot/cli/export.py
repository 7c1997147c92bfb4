"""parley export: everything that is stored about one person or one conversation; or what people rated as good."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from bot.cli.options import ConfigOption, settings
from bot.cli.people import ConversationOption, PersonOption, whose

if TYPE_CHECKING:
    from bot.config import Loaded
    from bot.types import ConversationKey, Person


def export(
    *,
    person: PersonOption = None,
    conversation: ConversationOption = None,
    rated: Annotated[
        bool, typer.Option("--rated", help="Answers that people rated as good, as chats for `parley train finetune`.")
    ] = False,
    persona: Annotated[str | None, typer.Option(help="With --rated: the answers of this persona alone.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --rated: rated on this day or later.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; standard output by default.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write all that is stored about a person or a conversation, or what people rated as good.

    One JSON object a line; `record` says what it is: conversation, turn, message, rating, summary or fact. With --rated
    a line is a chat to learn from; only personas with `memory.train_on_rated` give any, and e-mail addresses, phone
    numbers, card numbers and the names of those who wrote are masked.

    Examples: `parley export --person web:ann --out ann.jsonl`, `parley export --conversation slack:T1:C1:1700.1`,
    `parley export --rated --persona support --since 2026-01-01 --out chats.jsonl`
    """
    import asyncio

    from bot.cli.logs import configure

    if not rated and (persona is not None or since is not None):
        raise typer.BadParameter("--persona and --since go with --rated")
    loaded = settings(config, {})
    configure(loaded.settings.log, quiet=True)
    if rated:
        if person is not None or conversation is not None:
            raise typer.BadParameter("--rated is about everybody: leave --person and --conversation out")
        from bot.cli.rated import export_rated

        for line in asyncio.run(export_rated(loaded, persona=persona, since=since, out=out)):
            typer.echo(line, err=True)
        return
    written = asyncio.run(_export(loaded, whose(person, conversation), out))
    typer.echo(f"{written} records.", err=True)


@contextmanager
def writing(out: Path | None) -> Iterator[TextIO]:
    """The file, or standard output. Raises ConfigError where it cannot be written."""
    from bot.errors import ConfigError

    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}") from error


async def _export(loaded: "Loaded", whom: "Person | ConversationKey", out: Path | None) -> int:
    import json
    from contextlib import AsyncExitStack

    from bot.app import open_beside

    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_beside(loaded))
        file = stack.enter_context(writing(out))
        written = 0
        async for record in store.records.export(whom):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            written += 1
    return written
