"""parley bench: how fast the engine is with your model on this machine, beside other ways of generating."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from bot.measuring.compare import Compared, Options, Row, Watch

_MOST = 256


def bench(
    model: Annotated[
        str, typer.Argument(help="`starter`, a model folder, or a hub id such as Qwen/Qwen3-0.6B.")
    ] = "starter",
    *,
    conversations: Annotated[str, typer.Option(help="How many at once; with commas.")] = "1,8,16,32",
    prompt_tokens: Annotated[
        str | None,
        typer.Option(help="Shortest-longest prompt that arrives.", show_default="64-512, less in a short context"),
    ] = None,
    new_tokens: Annotated[int, typer.Option(min=1, help="Tokens of each answer; half of it in a chat's turn.")] = 64,
    workloads: Annotated[str, typer.Option(help="arrivals, chat; with commas.")] = "arrivals,chat",
    against: Annotated[
        str, typer.Option(help="generate (one at a time), transformers (continuous batching), none; with commas.")
    ] = "generate",
    precision: Annotated[
        Literal["auto", "float32", "bfloat16", "int8"], typer.Option(help="Of ours and of the others.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, max=_MOST, help="CPU threads of each.")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to run.")] = "auto",
    output: Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")] = None,
) -> None:
    """Measure the engine with a model on this machine.

    Many conversations at once, as the server has them: prompts that arrive 50 ms apart, and chats with one persona.
    Tokens a second, time to the first token and between tokens, memory, and how often faster than transformers'
    `generate`, which answers one after the other. Stop other work first.

    Examples: `parley bench`, `parley bench models/qwen --conversations 1,8 --against generate,transformers`,
    `parley bench starter --conversations 4 --new-tokens 16 --against none --json bench.json`
    """
    import asyncio

    from bot.measuring.compare import compare

    options = _options(
        conversations, prompt_tokens, new_tokens, workloads=workloads, against=against, precision=precision,
        threads=threads, device=device,
    )  # fmt: skip
    if output is not None and not output.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(output.parent)!r} for {output.name}")
    with _bars() as watch:
        compared = asyncio.run(compare(model, options, watch))
    _show(compared)
    if output is not None:
        output.write_text(json.dumps(compared.plain(), indent=2) + "\n", encoding="utf-8")


def _options(
    conversations: str, prompt_tokens: str | None, new: int, *, workloads: str, against: str, **others: Any
) -> "Options":
    from bot.measuring.compare import WORKLOADS, Options
    from bot.measuring.rivals import RIVALS

    numbers = [_number(part, "--conversations") for part in conversations.split(",")]
    if max(numbers) > _MOST:
        raise typer.BadParameter(f"--conversations {max(numbers)} is more than {_MOST}, the most slots of the engine")
    options = Options(
        conversations=tuple(dict.fromkeys(numbers)),
        new=new,
        workloads=_chosen(workloads, tuple(WORKLOADS), "--workloads"),
        against=() if against == "none" else _chosen(against, tuple(RIVALS), "--against"),
        **others,
    )
    if prompt_tokens is None:
        return options
    from dataclasses import replace

    first, dash, last = prompt_tokens.partition("-")
    shortest = _number(first, "--prompt-tokens")
    longest = _number(last, "--prompt-tokens") if dash else shortest
    if shortest > longest:
        raise typer.BadParameter(f"--prompt-tokens {prompt_tokens}: the shortest comes first, as in 64-512")
    return replace(options, shortest=shortest, longest=longest)


def _number(text: str, option: str) -> int:
    if not text.strip().isdecimal() or not (number := int(text)):
        raise typer.BadParameter(f"{option}: {text.strip()!r} is no whole number above 0")
    return number


def _chosen(text: str, known: tuple[str, ...], option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(map(str.strip, text.split(","))))
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"{option}: there is no {unknown[0]!r}; choose from {', '.join(known)}")
    return names


@contextmanager
def _bars() -> "Iterator[Watch]":
    """A bar a run on standard error; off a terminal a line."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:

        def watch(title: str, answers: int) -> Any:
            if not console.is_terminal:
                typer.echo(title, err=True)
            for each in progress.tasks:
                progress.update(each.id, visible=False)
            task = progress.add_task(title, total=answers)
            return lambda: progress.advance(task)

        yield watch


def _show(compared: "Compared") -> None:
    from rich.console import Console
    from rich.table import Table

    from bot.measuring.compare import WORKLOADS

    ready = compared.ready
    console = Console()
    if not console.is_terminal:
        console = Console(width=120, no_color=True, highlight=False)
    console.print(
        f"{compared.model}: {compared.parameters / 1e6:.1f} million parameters, {ready.dtype} on {ready.device}, "
        f"{ready.threads} thread{'s' * (ready.threads > 1)}, loaded in {ready.seconds:.1f} s",
        highlight=False,
    )
    for name in dict.fromkeys(row.workload for row in compared.rows):
        table = Table(title=f"{name}: {WORKLOADS[name]}", title_justify="left", title_style="bold")
        for title in (
            "at once",
            "who",
            "tokens/s",
            "× generate",
            "per CPU s",
            "first token",
            "next token",
            "cached",
            "memory",
        ):
            table.add_column(title, justify="left" if title == "who" else "right")
        last = None
        for row in sorted((r for r in compared.rows if r.workload == name), key=lambda r: r.conversations):
            if last not in (None, row.conversations):
                table.add_section()
            last = row.conversations
            table.add_row(*_cells(row), style="bold" if row.who == "parley" else "")
        console.print(table)
    console.print("Times are p50/p99. Per CPU second and memory are of the process that generates.", highlight=False)


def _cells(row: "Row") -> tuple[str, ...]:
    found = row.figures
    return (
        str(row.conversations),
        row.who,
        f"{found.tokens_per_second:.1f}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if found.tokens_per_cpu_second is None else f"{found.tokens_per_cpu_second:.1f}",
        f"{_seconds(found.first_p50)}/{_seconds(found.first_p99)}",
        f"{_seconds(found.next_p50)}/{_seconds(found.next_p99)}",
        f"{found.cached:.0%}" if row.who == "parley" else "",
        "" if found.memory is None else f"{found.memory / 2**20:.0f} MiB",
    )


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"
