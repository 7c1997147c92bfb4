"""English of any length, never the same twice: what is kept of one text must not help with another."""

import random
from collections.abc import Callable

_SENTENCES = (
    "The shop opens at nine and closes when the last visitor has left.",
    "A parcel that was sent on Monday usually arrives before the end of the week.",
    "Please keep the receipt, because without it nothing can be exchanged.",
    "Our workshop repairs watches, clocks and small instruments of every kind.",
    "Anyone who is late may wait in the hall, where tea and newspapers are offered.",
    "The river rises in spring and carries branches, boats and forgotten toys to the sea.",
    "Whoever asks politely is answered politely, and whoever shouts is answered slowly.",
    "Two keys fit the upper door, but only one of them opens the cellar as well.",
    "The old teacher explained the same theorem in three ways until everyone understood it.",
    "In winter the garden is closed to visitors, except on the first Sunday of the month.",
    "Most questions about an order can be settled within a single day.",
    "She counted the steps, wrote the number down and went back to her reading.",
    "A warranty covers faults of the material, not what falls from a balcony.",
    "Trains to the coast leave every half hour from the second platform.",
    "The recipe asks for flour, butter, a little salt and a great deal of patience.",
    "When the light turns green, the machine may be opened and cleaned with a dry cloth.",
    "He promised to return the ladder by Friday and brought it back in May.",
    "Members borrow up to five books, for four weeks, and may renew them twice.",
    "The committee met for three hours and agreed that it should meet again.",
    "Cold water is enough for wool; hot water makes it small and sad.",
)


def text(label: str, *, sentences: int) -> str:
    """So many sentences in an order that the label decides, with the label before them."""
    dice = random.Random(label)  # noqa: S311 - chooses sentences, keeps no secret
    return f"Number {label}. " + " ".join(dice.choice(_SENTENCES) for _ in range(sentences))


def sized(label: str, *, tokens: int, count: Callable[[str], int]) -> str:
    """Text for which `count` gives `tokens`, or a word's worth less; at least one word."""
    words = text(label, sentences=2 + tokens // 4).split()
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count(" ".join(words[:middle])) <= tokens:
            low = middle
        else:
            high = middle - 1
    return " ".join(words[:low])
