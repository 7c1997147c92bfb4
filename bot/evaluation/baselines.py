"""What can be had without a model: the sentence that BM25 ranks first, and a span taken at random."""

from collections.abc import Sequence
from random import Random

import bm25s
import numpy as np

from bot.evaluation.questions import Asked
from bot.knowledge.sentences import sentences
from bot.knowledge.words import index_keys


def best_sentences(asked: Sequence[Asked]) -> list[str]:
    """For each question the sentence of its passages, headings counted, that BM25 ranks first.

    One index over the sentences of all questions tells how rare a word is; keys are those of the knowledge index:
    stems, jieba's words, no stop words.
    """
    owned: list[list[str]] = []
    rows: list[list[int]] = []
    numbers: dict[str, int] = {}
    for each in asked:
        mine: list[str] = []
        for passage in each.exchange.passages:
            for line in filter(None, map(str.strip, sentences(passage.text))):
                mine.append(line)
                keys = index_keys("\n".join((*passage.heading, line)))
                rows.append([numbers.setdefault(key, len(numbers)) for key in keys])
        owned.append(mine)
    if not numbers:
        return [mine[0] if mine else "" for mine in owned]
    ranker = bm25s.BM25(method="lucene")
    ranker.index(bm25s.tokenization.Tokenized(ids=rows, vocab=numbers), show_progress=False)
    best: list[str] = []
    first = 0
    for each, mine in zip(asked, owned, strict=True):
        known = [numbers[key] for key in index_keys(each.exchange.question) if key in numbers]
        if known and mine:
            scores = ranker.get_scores_from_ids(known)[first : first + len(mine)]
            best.append(mine[int(np.argmax(scores))])
        else:
            best.append(mine[0] if mine else "")
        first += len(mine)
    return best


def random_spans(asked: Sequence[Asked], *, seed: int) -> list[str]:
    """For each question as many words in a row (Chinese: characters) as the right answer has, from any passage."""
    random = Random(f"spans/{seed}")  # noqa: S311 - no secret hangs on it
    spans = []
    for each in asked:
        chinese = each.exchange.language == "zh"
        texts = [p.text for p in each.exchange.passages if p.text]
        parts: Sequence[str] = (list if chinese else str.split)(random.choice(texts)) if texts else ()
        size = len(each.exchange.answer if chinese else each.exchange.answer.split())
        start = random.randint(0, max(0, len(parts) - size))
        spans.append(("" if chinese else " ").join(parts[start : start + size]))
    return spans
