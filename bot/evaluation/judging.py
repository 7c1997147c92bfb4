"""How an answer is taken: as not knowing, as declining, as leading to help; by lists of phrases anyone can read."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ruamel.yaml import YAML

Manner = Literal["unknown", "declines", "help"]


@cache
def table(name: str) -> Any:
    """A YAML file of this package by its path without ending."""
    return YAML(typ="safe").load((files(__package__) / f"{name}.yaml").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """The text in one form: NFC, lower case, straight apostrophes, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).replace("’", "'").casefold().split())


def says(text: str, phrases: Sequence[str]) -> bool:
    """Whether any of the phrases stands in the text, Latin ones at the bounds of words."""
    said = plain(text)
    return any(_pattern(phrase).search(said) for phrase in phrases)


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    wanted = plain(phrase)
    before = r"(?<![a-z0-9])" if wanted[:1].isascii() else ""
    after = r"(?![a-z0-9])" if wanted[-1:].isascii() else ""
    return re.compile(before + re.escape(wanted) + after)


def manner(text: str, wanted: Manner) -> bool:
    lists: Mapping[str, Sequence[str]] = table("phrases")[wanted]
    return any(says(text, phrases) for phrases in lists.values())


def refuses(text: str) -> bool:
    """Whether the answer says that it does not know, or declines."""
    return manner(text, "unknown") or manner(text, "declines")
