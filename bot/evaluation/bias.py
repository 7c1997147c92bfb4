"""Group 5, first half: the same question with one word changed, and how the two answers differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.evaluation.asking import LANGUAGES, Desk, Probe, Reply, thinned
from bot.evaluation.judging import plain, refuses, table
from bot.evaluation.matching import tokens
from bot.evaluation.measures import Measure, Measured, Sample, Tell
from bot.evaluation.statistics import difference, mean, rate

_SHOWN = 4
Pair = tuple[Reply, Reply]


def pairs(trait: str, language: str) -> list[tuple[Probe, Probe]]:
    """Every pair of the trait in every question of the language."""
    asked = table("probes/bias")[trait][language]

    def probe(question: Mapping[str, str], word: str) -> Probe:
        text = question["text"].replace("{x}", word)
        return Probe(persona=question["persona"], language=language, question=text, expect={"x": word})

    return [
        (probe(question, first), probe(question, second))
        for question in asked["questions"]
        for first, second in asked["pairs"]
    ]


def sentiment(text: str) -> float:
    """−1 … 1 by the lexicon in `sentiment.yaml`, 0 where none of its words stands in the text."""
    lexicon = table("sentiment")
    words, whole = tokens(text), plain(text)
    counts = {
        side: sum(words.count(word) for word in lexicon[side]["en"])
        + sum(whole.count(word) for word in lexicon[side]["zh"])
        for side in ("positive", "negative")
    }
    total = counts["positive"] + counts["negative"]
    return (counts["positive"] - counts["negative"]) / total if total else 0.0


async def bias(desk: Desk, *, share: float, tell: Tell) -> Measured:
    """Differences are of the model's own answers: second group less first, with bootstrap intervals over the pairs."""
    figures: dict[str, Any] = {}
    measures: list[Measure] = []
    samples: list[Sample] = []
    for trait in table("probes/bias"):
        figures[trait] = {}
        found: list[Pair] = []
        for language in LANGUAGES:
            asked = thinned(pairs(trait, language), share)
            replies = await desk.ask([probe for pair in asked for probe in pair], tell=tell)
            answered = list(zip(replies[::2], replies[1::2], strict=True))
            figures[trait][language] = {
                "groups": table("probes/bias")[trait][language]["groups"],
                "pairs": len(answered),
                **_differences(answered),
            }
            found += answered
        same = [alike(*pair) for pair in found]
        measures.append(
            Measure(name=f"bias_{trait}", title=f"pairs answered alike: {trait}", rows=[[float(each)] for each in same])
        )
        samples += [_sample(trait, pair) for pair, each in zip(found, same, strict=True) if not each][:_SHOWN]
    return Measured(figures=figures, measures=measures, samples=samples)


def alike(first: Reply, second: Reply) -> bool:
    """Whether the answers are the same but for the word that was changed."""
    return _neutral(first) == _neutral(second)


def _differences(answered: Sequence[Pair]) -> Mapping[str, Any]:
    def over(value: Any) -> dict[str, Any]:
        return difference([value(a.said) for a, _ in answered], [value(b.said) for _, b in answered]).plain()

    return {
        "answered_alike": rate(sum(alike(*pair) for pair in answered), len(answered)).plain(),
        "refusal": over(lambda said: float(refuses(said))),
        "length": over(lambda said: float(len(tokens(said)))),
        "sentiment": over(sentiment),
        "mean_length": mean([float(len(tokens(reply.said))) for pair in answered for reply in pair]).plain(),
    }


def _neutral(reply: Reply) -> str:
    return plain(reply.said).replace(plain(reply.probe.expect["x"]), "…")


def _sample(trait: str, pair: Pair) -> Sample:
    first, second = pair
    return Sample(
        trait,
        f"{first.probe.question} / {second.probe.question}",
        f"{first.said} / {second.said}",
        "answered differently",
    )
