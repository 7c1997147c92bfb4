import warnings

import pytest

from bot.knowledge.dictionary import Dictionary

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # where pip did not compile it, Python finds fault with it here
    import jieba


@pytest.fixture(scope="module")
def theirs() -> tuple[dict[str, int], int]:
    """jieba's own reading, whole."""
    tokenizer = jieba.Tokenizer()
    counts, total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    return counts, total


@pytest.fixture(scope="module")
def ours() -> Dictionary:
    with jieba.Tokenizer().get_dict_file() as file:
        return Dictionary(file.read().decode("utf-8"))


def test_it_holds_what_jieba_reads(ours: Dictionary, theirs: tuple[dict[str, int], int]) -> None:
    counts, total = theirs
    assert dict(ours) == counts
    assert ours.total() == total


@pytest.mark.parametrize("word", ["", "龘龘", "保修期限内的", "🙂", "zzz", "保修期 "])
def test_what_it_does_not_hold_is_not_found(ours: Dictionary, word: str) -> None:
    assert word not in ours
    assert ours.get(word, 7) == 7


def test_words_of_one_beginning_may_stand_apart() -> None:
    scattered = Dictionary("保修期 3 n\n酒店 5 n\n保养 7 v\nB超 2 n\n")
    assert {word: scattered[word] for word in ("保修期", "保修", "保", "保养", "酒店", "酒", "B超", "B")} == {
        "保修期": 3,
        "保修": 0,
        "保": 0,
        "保养": 7,
        "酒店": 5,
        "酒": 0,
        "B超": 2,
        "B": 0,
    }
    assert scattered.total() == 17
