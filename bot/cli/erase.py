"""parley erase: delete what is stored about one person or one conversation, and prove that it is gone."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.options import ConfigOption, settings
from bot.cli.people import ConversationOption, PersonOption, opened, whose

if TYPE_CHECKING:
    from bot.config import Loaded
    from bot.ports import Shared, Store
    from bot.types import ConversationKey, Erased, Person

_SAMPLE = 20  # ids of what went that are looked for everywhere
_TELLING = 6  # characters: a shorter id stands in other texts by chance


def erase(
    *,
    person: PersonOption = None,
    conversation: ConversationOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    find: Annotated[list[str] | None, typer.Option(help="Look for this text too, once it should be gone.")] = None,
    log: Annotated[list[Path] | None, typer.Option(help="A log file to look through.")] = None,
    config: ConfigOption = None,
) -> None:
    """Delete a person's data or a conversation, then prove that it is gone.

    Questions and replies, facts and summaries that rest on them, ratings, inbox and outbox; in Redis too. Then every
    table, Redis key, database file and log named is searched. Exit code 1 where anything is left.

    Examples: `parley erase --person web:ann`, `parley erase --conversation slack:T1:C1:1700.1 --yes --log parley.log`
    """
    import asyncio

    from bot.cli.logs import configure

    loaded = settings(config, {})
    configure(loaded.settings.log, quiet=True)
    if not asyncio.run(_erase(loaded, whose(person, conversation), yes, find or [], log or [])):
        raise typer.Exit(1)


async def _erase(
    loaded: "Loaded", whom: "Person | ConversationKey", yes: bool, texts: Sequence[str], logs: Sequence[Path]
) -> bool:
    from contextlib import AsyncExitStack

    async with AsyncExitStack() as stack:
        store = await opened(stack, loaded, "parley.stores", "store")
        shared = await opened(stack, loaded, "parley.buses", "bus")
        stored, ids = await _survey(store, whom)
        if stored:
            typer.echo(
                "This will be deleted: " + ", ".join(f"{number} {kind}" for kind, number in stored.items()) + "."
            )
            if not yes:
                typer.confirm("Delete it for good?", abort=True)
        else:
            typer.echo("Nothing is stored about them.")
        erased = await store.records.erase(whom)
        await _forget(shared, erased)
        needles = dict.fromkeys((*_names(whom, erased), *ids, *texts))
        left = Counter({"records of theirs": sum((await _survey(store, whom))[0].values())})
        for needle in needles:
            left.update(await store.records.find(needle))
            left.update(await _beside(shared, needle))
            if needle not in ids:
                left.update({f"log {path}": _in_log(path, needle) for path in logs})
    return _told(left, looked_for=len(needles))


async def _survey(store: "Store", whom: "Person | ConversationKey") -> tuple[Counter[str], Sequence[str]]:
    """How many records of each kind there are, and the ids of some."""
    stored: Counter[str] = Counter()
    ids: list[str] = []
    async for record in store.records.export(whom):
        stored[f"{record['record']}s".replace("summarys", "summaries")] += 1
        if record["record"] == "message" and len(ids) < _SAMPLE:
            ids.append(str(record["id"]))
    return stored, ids


async def _forget(shared: "Shared", erased: "Erased") -> None:
    """Let the replicas drop what they hold, and go on with what stays."""
    for turn in erased.cut:
        await shared.bus.publish("stop", turn)
    for key in (*erased.gone, *erased.changed):
        await shared.bus.forget(key)
        await shared.window.forget(key)
    for key in erased.changed:
        await shared.bus.publish("wake", key.encode())


def _names(whom: "Person | ConversationKey", erased: "Erased") -> list[str]:
    from bot.types import Person

    keys = [key.encode() for key in erased.gone]
    return [whom.id, *keys] if isinstance(whom, Person) and len(whom.id) >= _TELLING else keys


async def _beside(shared: Any, needle: str) -> dict[str, int]:
    """What is left in the place that replicas share, where it outlives them."""
    from bot.errors import ConfigError
    from bot.ports import Scannable

    if not isinstance(shared, Scannable):
        return {}
    try:
        return {"redis": await shared.find(needle)}
    except ConnectionError as error:
        raise ConfigError(f"{error}; what it held is not searched: run this again once it answers") from error


def _in_log(path: Path, needle: str) -> int:
    from bot.errors import ConfigError

    try:
        with path.open("rb") as file:
            return sum(needle.encode() in line for line in file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _told(left: Counter[str], *, looked_for: int) -> bool:
    typer.echo(f"Looked for {looked_for} names and texts; found:")
    for place, number in left.items():
        typer.echo(f"  {place:32}{number:>6}")
    gone = not any(left.values())
    typer.echo("Nothing is left." if gone else "Something is left: see above.")
    return gone
