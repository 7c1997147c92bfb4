"""English words: a light stem, and how much a word tells.

`common_en.txt` lists 2,600 everyday words, the commonest first: those that at least four of seven English text
collections (talk, stories, orders, service, textbooks, leaflets, documentation) share, ranked over all of them.
"""

from functools import cache, lru_cache
from importlib.resources import files
from math import log

from bot.knowledge.stopwords import STOP_EN

_IRREGULAR_FORMS = """sent:send paid:pay bought:buy broke:break broken:break took:take taken:take gave:give given:give
    came:come went:go gone:go made:make lost:lose sold:sell held:hold kept:keep found:find said:say told:tell
    wrote:write written:write spoke:speak spoken:speak children:child feet:foot teeth:tooth men:man women:woman
    people:person mice:mouse leaves:leaf halves:half wolves:wolf lives:life brought:bring taught:teach caught:catch
    felt:feel left:leave met:meet ran:run sat:sit saw:see seen:see slept:sleep stood:stand swam:swim thought:think
    threw:throw thrown:throw understood:understand won:win wore:wear worn:wear grew:grow grown:grow knew:know
    known:know drew:draw drawn:draw ate:eat eaten:eat drank:drink drunk:drink fell:fall fallen:fall flew:fly
    flown:fly froze:freeze frozen:freeze hid:hide hidden:hide led:lead lent:lend spent:spend built:build
    delivery:deliver deliveries:deliver arrival:arrive shipping:ship shipped:ship dying:die lying:lie tying:tie
    feed:feed need:need speed:speed seed:seed bed:bed red:red during:during thing:thing king:king ring:ring
    spring:spring string:string morning:morning evening:evening ceiling:ceiling species:species series:series
    news:news always:always lens:lens gas:gas bus:bus this:this"""
_IRREGULAR = dict(pair.split(":") for pair in _IRREGULAR_FORMS.split())
_VOWELS = frozenset("aeiouy")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A lower-case word without the endings of plural, past, -ing, -ly, -ment, -able."""
    word = word.replace("’", "'").removesuffix("'s").removesuffix("'")
    if word in _IRREGULAR:
        word = _IRREGULAR[word]
    elif len(word) > 3 and word.isalpha():
        word = _plural(word)
        for ending in ("ing", "ed", "ly", "ment", "able", "ness"):
            base = word.removesuffix(ending)
            if base != word and len(base) >= 3 and _VOWELS & set(base) and not word.endswith("eed"):
                word = _undouble(base) if ending in ("ing", "ed") else base
                break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _undouble(base: str) -> str:
    return base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" else base


@cache
def _ranks() -> dict[str, int]:
    listed = (files("bot.knowledge") / "common_en.txt").read_text("utf-8").split()
    ranks: dict[str, int] = {}
    for rank, word in enumerate(listed):
        ranks.setdefault(stem(word), rank)
    return ranks


@cache
def _stop() -> frozenset[str]:
    return frozenset(map(stem, STOP_EN))


def is_stop(stemmed: str) -> bool:
    return stemmed in _stop()


def is_common(stemmed: str, *, within: int = 10_000) -> bool:
    """Whether the stem belongs to the `within` commonest words, or to the function words."""
    return _ranks().get(stemmed, within) < within or stemmed in _stop()


@lru_cache(maxsize=50_000)
def weight(stemmed: str) -> float:
    """How much a word tells, 0…1: 0 for function words, 1 for those not among the everyday words."""
    if stemmed in _stop():
        return 0.0
    ranks = _ranks()
    rank = ranks.get(stemmed)
    if rank is None:
        return 1.0
    return min(1.0, max(0.35, log(1 + rank / 60) / log(1 + 2700 / 60)))


def near(one: str, other: str) -> bool:
    """Whether two stems are one word but for its ending: they share all but the last two letters, at least five."""
    shared = max(5, min(len(one), len(other)) - 2)
    return abs(len(one) - len(other)) <= 4 and one[:shared] == other[:shared]
