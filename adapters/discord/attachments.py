"""Text files that come with a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import discord

from adapters.discord.failures import told
from adapters.discord.texts import NO_TEXT_FILE, TOO_BIG

KINDS = (
    ".c .cfg .conf .cpp .cs .css .csv .go .h .html .ini .java .js .json .jsonl .kt .log .lua .md .php .pl .py .rb .rs"
    " .rst .sh .sql .srt .svg .swift .tex .toml .ts .tsv .txt .xml .yaml .yml"
)
MOST_FILES = 5


@dataclass(frozen=True, slots=True)
class Read:
    """`text` for the model, `refused` for the person: why a file was not taken, a sentence each."""

    text: str = ""
    refused: tuple[str, ...] = ()


async def read(attachments: Sequence[discord.Attachment], *, most: int, locale: str | None) -> Read:
    """What the files say. Raises ChannelError where Discord does not give one."""
    texts: list[str] = []
    refused: list[str] = []
    for attachment in attachments:
        name = attachment.filename.replace("`", "'")
        is_text = (attachment.content_type or "").startswith("text/") or _kind(name) in KINDS.split()
        if not is_text or len(texts) >= MOST_FILES:
            refused.append(NO_TEXT_FILE.pick(locale).format(name=name))
            continue
        if attachment.size > most:
            refused.append(TOO_BIG.pick(locale).format(name=name, most=most // 1024))
            continue
        with told("a file"):
            content = await attachment.read()
        try:
            texts.append(f"{name}:\n```\n{content.decode('utf-8-sig').replace('```', '´´´').strip()}\n```")
        except UnicodeDecodeError:
            refused.append(NO_TEXT_FILE.pick(locale).format(name=name))
    return Read("\n\n".join(texts), tuple(refused))


def _kind(name: str) -> str:
    return PurePath(name).suffix.lower()
