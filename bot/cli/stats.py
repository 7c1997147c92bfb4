"""parley stats: what was answered, day by day."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, JsonOption, settings

if TYPE_CHECKING:
    from bot.types import DayCount

HEADINGS = (
    "day",
    "persona",
    "channel",
    "turns",
    "failed",
    "stopped",
    "up",
    "down",
    "read",
    "written",
    "mean s",
)


def stats(
    config: ConfigOption = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="So many days back, with today.")] = 7,
    json: JsonOption = False,
) -> None:
    """Show what was answered on each day, by persona and channel.

    Examples: `parley stats`, `parley stats --days 30 --json`
    """
    import asyncio
    from datetime import UTC, datetime, timedelta

    from bot.app import open_store
    from bot.jobs import count

    loaded = settings(config, {})
    zone = loaded.settings.zone
    now = datetime.now(UTC)

    async def read() -> "tuple[DayCount, ...]":
        async with open_store(loaded) as store:
            await count(store, zone=zone, now=now)
            return await store.statistics.since(now.astimezone(zone).date() - timedelta(days=days - 1))

    found = asyncio.run(read())
    if json:
        from dataclasses import asdict
        from json import dumps

        typer.echo(dumps([asdict(one) for one in found], ensure_ascii=False, indent=2, default=str))
        return
    rows = [HEADINGS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words, numbers = row[:3], row[3:]
        cells = [word.ljust(width) for word, width in zip(words, widths, strict=False)]
        cells += [number.rjust(width) for number, width in zip(numbers, widths[3:], strict=True)]
        typer.echo("  ".join(cells))


def _row(one: "DayCount") -> tuple[str, ...]:
    numbers = (one.turns, one.failed, one.stopped, one.up, one.down, one.prompt_tokens, one.new_tokens)
    return (one.day.isoformat(), one.persona, one.channel, *map(str, numbers), f"{one.seconds / one.turns:.1f}")
