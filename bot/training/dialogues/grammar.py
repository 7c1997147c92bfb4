"""Templates with choices: `[a|b|]` stands for a, b or nothing, `{slot}` for a word that is filled in later."""

import re
from math import prod
from random import Random

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


def expand(random: Random, template: str) -> str:
    """One of the sentences a template stands for."""
    return _CHOICE.sub(lambda found: random.choice(found[1].split("|")), template)


def expansions(template: str) -> int:
    """How many sentences a template stands for."""
    return prod(len(found.split("|")) for found in _CHOICE.findall(template))


def slots(template: str) -> frozenset[str]:
    return frozenset(_SLOT.findall(template))
