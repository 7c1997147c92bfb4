"""Which of a persona's languages a text is written in."""

from collections.abc import Sequence


def is_han(character: str) -> bool:
    """Whether the character is a Han ideograph (CJK unified, extension A or compatibility block)."""
    return "\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf" or "\uf900" <= character <= "\ufaff"


def language_of(text: str, languages: Sequence[str], *, locale: str | None = None) -> str:
    """The best of `languages` (the first is the default) for a reply to `text`.

    Han characters speak for Chinese, Latin letters against it; a text with neither follows `locale`.
    """
    chinese = next((tag for tag in languages if tag.lower().split("-")[0] == "zh"), None)
    other = next((tag for tag in languages if tag.lower().split("-")[0] != "zh"), None)
    han = sum(map(is_han, text))
    words = sum(1 for word in text.split() if any("a" <= c.lower() <= "z" for c in word))
    if han or words:
        wanted = chinese if han >= words else other
        return wanted or languages[0]
    if locale:
        for tag in languages:
            if tag.lower().split("-")[0] == locale.lower().replace("_", "-").split("-")[0]:
                return tag
    return languages[0]
