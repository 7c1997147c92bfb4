"""The answer without a model: a passage's own words."""

from collections.abc import Sequence

from bot.knowledge.evidence import Evidence
from bot.knowledge.passages import join
from bot.knowledge.query import Query, plain
from bot.knowledge.sentences import sentences
from bot.knowledge.smalltalk import is_greeting
from bot.knowledge.stopwords import word_set
from bot.knowledge.wanted import answered
from bot.knowledge.words import normal, size, words
from bot.language import language_of
from bot.types import Answer, LocalText, Passage, Persona, Source

UNSURE = LocalText({"en": "I could not find that in my material.", "zh": "在我的资料里没有找到答案。"})
_SHORT = 0.45  # a passage up to this size (about 30 English words) is quoted whole

_LEANING = word_set(
    """it they this that these those he she its their then there also both such otherwise and but or so however instead
    therefore if after before"""
)
_LEANING_ZH = tuple("它 他 她 这 那 该 其 但 不过 而 也 否则 此外 另外 因此 所以 之后 然后 并".split())  # noqa: SIM905


def source(passage: Passage) -> Source:
    return Source(title=" > ".join(passage.heading) or passage.path, path=passage.path, text=passage.text)


def quotation(persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
    """The best sentences of the best passage, in quotation marks; whole answers, lists and short passages whole.

    Text of several lines stands as it is, without marks. Without passages a greeting gets the persona's greeting,
    anything else its `when_unsure`.
    """
    if not passages:
        language = locale or language_of(question, persona.languages)
        if persona.greeting is not None and is_greeting(question):
            return Answer(text=persona.greeting.pick(language))
        return Answer(text=(persona.when_unsure or UNSURE).pick(language))
    best = passages[0]
    if best.answer is not None:
        text = best.answer
    elif persona.policy == "health":
        text = best.text  # a warning must not be cut from the advice it belongs to
    else:
        text = _excerpt(question, best)
    text = text.strip()
    shown = text if "\n" in text else f"“{text}”"
    return Answer(text=shown, sources=(source(best),) if persona.cite else ())


def _excerpt(question: str, passage: Passage) -> str:
    """The sentence that answers best, with the one before where it leans on it, and the one after where it is short."""
    text = passage.text
    if "\n" in text or size(text) <= _SHORT:
        return text
    pieces = [piece.strip() for piece in sentences(text) if piece.strip()]
    query = plain(question)
    scores = [_score(query, Evidence(piece)) + 0.5 * answered(question, piece) for piece in pieces]
    best = scores.index(max(scores))
    first = best
    while first > 0 and _leans(pieces[first]):
        first -= 1
    end = best + 1
    while end < len(pieces) and size(join(pieces[first : end + 1], None)) <= _SHORT:
        end += 1
    return join(pieces[first:end], None)


def _score(query: Query, sentence: Evidence) -> float:
    keys = sentence.keys
    return sum(
        term.weight * max((factor for key, factor in term.stands.items() if key in keys), default=0.0)
        for term in query.terms
    )


def _leans(sentence: str) -> bool:
    first = next(iter(words(normal(sentence))), None)
    return sentence.startswith(_LEANING_ZH) or (first is not None and first.written.lower() in _LEANING)
