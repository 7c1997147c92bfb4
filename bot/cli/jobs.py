"""parley jobs: what is planned, and how it went."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.options import ConfigOption, JsonOption, settings

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.types import JobRun

LOOKED_AT = 2000


def jobs(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show what runs at fixed times: when next, and how the last run went.

    Examples: `parley jobs`, `parley jobs --json`
    """
    import asyncio

    from bot.app import open_store
    from bot.cli.logs import configure

    loaded = settings(config, {})
    configure(loaded.settings.log, quiet=True)

    async def read() -> "tuple[JobRun, ...]":
        async with open_store(loaded) as store:
            return await store.jobs.recent(limit=LOOKED_AT)

    runs = asyncio.run(read())
    planned = list(_planned(loaded.settings))
    if json:
        _print_json(planned, runs)
        return
    width = max(len(job["job"]) for job in planned)
    typer.echo("Planned")
    for job in planned:
        when = f"{job['next']:%Y-%m-%d %H:%M}  {job['timezone']}" if job["served"] else "its channel is not served here"
        typer.echo(f"  {job['job']:{width}}  {when}")
    typer.echo("Runs")
    for run in _telling(runs):
        typer.echo(f"  {run.job:{width}}  {run.started_at.astimezone():%Y-%m-%d %H:%M}  {_state(run)}")
    if not runs:
        typer.echo("  none yet")


def _planned(settings: "Settings") -> "Iterator[dict[str, Any]]":
    from datetime import UTC, datetime

    from bot.app import open_catalog
    from bot.cron import Cron
    from bot.jobs import UPKEEP, posts

    own = [(name, Cron(text, settings.zone), True) for name, text in UPKEEP.items()]
    asked = posts(open_catalog(settings).all(), settings.zone)
    plans = own + [(post.name, post.cron, post.to.channel in settings.channels) for post in asked]
    for name, cron, served in plans:
        due = cron.next(datetime.now(UTC)).astimezone(cron.zone)
        yield {"job": name, "cron": cron.text, "timezone": str(cron.zone), "next": due, "served": served}


def _telling(runs: "Sequence[JobRun]") -> "Iterator[JobRun]":
    """The newest run of each job, and every one that did not go well."""
    seen: set[str] = set()
    for run in runs:
        if run.job not in seen or run.error is not None:
            yield run
        seen.add(run.job)


def _state(run: "JobRun") -> str:
    return "running" if run.finished_at is None else "done" if run.error is None else f"failed: {run.error}"


def _print_json(planned: "Sequence[dict[str, Any]]", runs: "Sequence[JobRun]") -> None:
    from dataclasses import asdict
    from json import dumps

    whole = {"planned": planned, "runs": [{**asdict(run), "state": _state(run)} for run in runs]}
    typer.echo(dumps(whole, ensure_ascii=False, indent=2, default=lambda value: value.isoformat()))
