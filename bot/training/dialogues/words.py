"""Invented names, numbers and words that fill the tables, split so that evaluation sees entities training never saw."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Literal
from zlib import crc32

from ruamel.yaml import YAML

Split = Literal["train", "templates", "entities", "both"]
HELD_OUT = 10  # one in so many


@cache
def table(name: str) -> Any:
    """A seed table of this package by its file name without ending."""
    return YAML(typ="safe").load((files(__package__) / "tables" / f"{name}.yaml").read_text(encoding="utf-8"))


def held_out(text: str) -> bool:
    """Whether a listed word is kept for evaluation; stable across machines and versions."""
    return crc32(text.encode()) % HELD_OUT == 0


def holds_templates(split: Split) -> bool:
    return split in ("templates", "both")


def holds_entities(split: Split) -> bool:
    return split in ("entities", "both")


def allowed(words: Sequence[str], *, held: bool) -> list[str]:
    """The words of one side of the split; all of them where it would leave a side empty."""
    kept = [w for w in words if held_out(w) == held]
    return kept if 0 < len(kept) < len(words) else list(words)


class Words:
    """Fills `{slots}`. Within one dialogue a slot keeps its value until `fresh` is called.

    The splits "entities" and "both" draw only held-out words, the others only the rest; numbers are free in all.
    """

    def __init__(self, random: Random, *, language: str, split: Split) -> None:
        self.random = random
        self.language = language
        self._held = holds_entities(split)
        self._lists: Mapping[str, list[str]] = table("words")[language]
        self._values: dict[str, str] = {}
        self._hour = 8
        self._makers: dict[str, Callable[[], str]] = {
            "days": lambda: str(random.choice((2, 3, 5, 7, 10, 12, 14, 15, 20, 21, 28, 30, 45, 60, 90, 100))),
            "months": lambda: str(random.randint(3, 72)),
            "hours": lambda: str(random.choice((2, 3, 4, 6, 8, 12, 24, 36, 48, 72))),
            "minutes": lambda: str(random.choice((*range(5, 60, 5), 45, 60, 75, 90, 120, 150))),
            "n": lambda: str(random.randint(2, 300)),
            "age": lambda: str(random.randint(2, 90)),
            "floor": lambda: str(random.randint(2, 20)),
            "pct": lambda: str(random.randint(2, 95)),
            "year": lambda: str(random.randint(1780, 2025)),
            "time": lambda: self._time(6, 22),
            "time2": lambda: self._time(min(self._hour + 1, 23), 23),  # a span ends after it begins
            "price": self._price,
            "phone": self._phone,
            "email": lambda: f"{self._latin()}@{self._latin()}.{random.choice(('com', 'org', 'net', 'example'))}",
            "code": lambda: "".join(random.choices("ABCDEFGHJKLMNPRSTUVWXYZ23456789", k=random.randint(4, 7))),
            "date": self._date,
            "person": self._person,
            "place": lambda: self._coined() + self._gap() + self._pick("place_kind"),
            "name": self._coined,
        }

    def fill(self, template: str) -> str:
        """The template with every slot filled; `{time2}` is another value of the kind `time`."""
        parts = template.split("{")
        out = [parts[0]]
        for part in parts[1:]:
            slot, _, rest = part.partition("}")
            out.append(self.value(slot) + rest)
        return "".join(out)

    def value(self, slot: str) -> str:
        if slot not in self._values:
            kind = slot.rstrip("23")
            make = self._makers.get(slot) or self._makers.get(kind)
            self._values[slot] = make() if make else self._pick(kind)
        return self._values[slot]

    def set(self, slot: str, value: str) -> None:
        self._values[slot] = value

    def fresh(self) -> None:
        """Forget all values: the next passage speaks of something else."""
        self._values.clear()

    def typos(self, text: str) -> str:
        """The text with one typing slip: two neighbours swapped, one letter doubled or lost."""
        if len(text) < 6:
            return text
        i = self.random.randint(1, len(text) - 3)
        slip = self.random.random()
        if slip < 0.4:
            return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
        return text[:i] + text[i + 1 :] if slip < 0.7 else text[:i] + text[i] + text[i:]

    def _pick(self, kind: str) -> str:
        return self.random.choice(allowed(self._lists[kind], held=self._held))

    def _gap(self) -> str:
        return " " if self.language == "en" else ""

    def _coined(self) -> str:
        """An invented name; held-out ones are those whose hash says so."""
        while True:
            name = "".join(self.random.choices(self._lists["syllable"], k=self.random.randint(2, 3)))
            if held_out(name) == self._held:
                return name.capitalize()

    def _latin(self) -> str:
        return "".join(self.random.choices(table("words")["en"]["syllable"], k=2))

    def _person(self) -> str:
        first, last = self._pick("first"), self._pick("last")
        return f"{first} {last}" if self.language == "en" else last + first

    def _time(self, first: int, last: int) -> str:
        hour = self._hour = self.random.randint(first, last)
        minute = self.random.choice(("00", "00", "15", "30", "45"))
        if self.random.random() < 0.6:
            return f"{hour}:{minute}"
        if self.language == "zh":
            return f"{hour}点" if minute == "00" else f"{hour}点{minute}分"
        return f"{(hour - 1) % 12 + 1} {'am' if hour < 12 else 'pm'}"

    def _price(self) -> str:
        amount = self.random.choice((self.random.randint(1, 99), self.random.randint(1, 999)))
        if self.language == "zh":
            return f"{amount}元"
        cents = self.random.choice(("", "", ".50", ".90", ".95"))
        return self.random.choice((f"${amount}{cents}", f"€{amount}{cents}", f"{amount} euros", f"{amount} pounds"))

    def _phone(self) -> str:
        digits = "".join(self.random.choices("0123456789", k=9))
        grouped = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
        return self.random.choice((f"0{digits[:2]}-{digits[2:]}", grouped, f"1{digits}"))

    def _date(self) -> str:
        day, month = self.random.randint(1, 28), self.random.randint(1, 12)
        if self.language == "zh":
            return f"{month}月{day}日"
        return f"{day} {self._lists['month'][month - 1]}"
