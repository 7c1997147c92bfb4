from collections.abc import Iterator
from itertools import islice, repeat
from random import Random
from typing import Any

import pytest
import torch

from bot.training import tokenizer as bpe
from bot.training.corpus import Document
from bot.training.data import IGNORED, Mixture, Piece, Shares, encode, pack
from bot.training.dialogues import dialogues
from bot.training.model import build
from bot.training.presets import PRESETS

NANO = PRESETS["nano"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    torch.set_num_threads(1)
    texts = [m.text for d in islice(dialogues(1), 300) for m in d]
    return bpe.train(texts, vocabulary=NANO.vocabulary, context=NANO.context)


def test_any_text_survives_the_tokenizer_and_digits_and_han_runs_stand_apart(tokenizer: Any) -> None:
    for text in ("Order 1024 costs €3.50", "订单2048已发货。ok", "a\n\n b\t🙂", "  two  spaces"):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
    digits = tokenizer.tokenize("2025")
    assert digits == ["2", "0", "2", "5"]


def test_only_what_the_assistant_says_is_learnt(tokenizer: Any) -> None:
    for messages in islice(dialogues(2), 50):
        piece = encode(tokenizer, messages)
        learnt = [t for t, yes in zip(piece.ids, piece.learn, strict=True) if yes]
        assert tokenizer.decode(learnt) == messages[-1].text + bpe.END


def test_a_packed_row_labels_no_token_from_its_neighbour(tokenizer: Any) -> None:
    pieces = [Piece([10, 11, 12], [True] * 3), Piece([20, 21], [False, True])]
    row = pack(iter(pieces * 20), 16, pad=0)
    positions, labels, ids = row["position_ids"], row["labels"], row["input_ids"]
    assert len(ids) == 16
    assert all(labels[positions == 0] == IGNORED)
    learnt = labels != IGNORED
    assert torch.equal(labels[learnt], ids[learnt])


def test_a_dialogue_that_does_not_fit_is_not_cut(tokenizer: Any) -> None:
    row = pack(repeat(Piece(list(range(10, 20)), [False] * 5 + [True] * 5)), 25, pad=0)
    assert row["input_ids"].tolist()[20:] == [0] * 5
    assert int((row["labels"] != IGNORED).sum()) == 10


def test_packed_documents_do_not_see_each_other(tokenizer: Any) -> None:
    model = build(NANO, tokenizer, seed=1).eval()
    random = Random(1)
    one, two = ([random.randrange(8, NANO.vocabulary) for _ in range(20)] for _ in range(2))

    def packed() -> Iterator[Piece]:
        yield Piece(one, [True] * 20)
        yield from repeat(Piece(two, [True] * 20))

    row = pack(packed(), 40, pad=0)
    with torch.no_grad():
        together = model(input_ids=row["input_ids"][None], position_ids=row["position_ids"][None], use_cache=False)
        alone = model(input_ids=torch.tensor([two]), use_cache=False)
    torch.testing.assert_close(together.logits[0, 20:], alone.logits[0], rtol=1e-3, atol=1e-3)


def test_a_row_depends_on_the_seed_and_its_number_alone(tokenizer: Any) -> None:
    def mixture(seed: int) -> Mixture:
        natural = [Document(text="Once there was a fox. " * 50, source="tales", language="en")]
        shares = Shares(copying=0.2, natural=0.2)
        return Mixture(tokenizer, NANO, shares=shares, length=200, seed=seed, natural=natural)

    first, second = mixture(1), mixture(1)
    backwards = {i: second[i] for i in (150, 70, 3)}
    for i, row in backwards.items():
        assert all(torch.equal(row[key], first[i][key]) for key in row)
    assert not torch.equal(mixture(2)[3]["input_ids"], first[3]["input_ids"])


def test_a_fresh_model_copies_better_than_chance(tokenizer: Any) -> None:
    shape = PRESETS["cpu"]
    model = build(shape, tokenizer, seed=1).eval()
    once = torch.randint(8, len(tokenizer), (8, 20), generator=torch.Generator().manual_seed(1))
    ids = torch.cat([once, once], dim=1)
    with torch.no_grad():
        logits = model(input_ids=ids).logits[:, 20:-1]
    ranks = (logits > logits.gather(-1, ids[:, 21:, None])).sum(-1).float()
    assert ranks.median() < 10
