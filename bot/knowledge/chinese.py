"""Chinese words by jieba, loaded when the first Chinese text comes.

The dictionary is looked up in the package's file (see `dictionary`): jieba's own cache lies in the shared temporary
folder, where anyone could plant one, and loading it would hold the interpreter.
"""

import threading
import warnings
from functools import lru_cache
from math import log
from typing import Any

from bot.knowledge.dictionary import Dictionary
from bot.knowledge.stopwords import STOP_ZH

_MANY = 50_000  # occurrences in jieba's dictionary (60 million in all) from which a word tells nothing
_FEW = 300  # and up to which it tells as much as any

_lock = threading.Lock()


@lru_cache(maxsize=1)
def _load() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba  # noqa: PLC0415 - heavy, and most installations never read Chinese
    jieba.setLogLevel("WARNING")
    tokenizer = jieba.Tokenizer()
    with tokenizer.get_dict_file() as file:
        tokenizer.FREQ = Dictionary(file.read().decode("utf-8"))
    tokenizer.total = tokenizer.FREQ.total()
    tokenizer.initialized = True
    return tokenizer


def _jieba() -> Any:
    with _lock:
        return _load()


def prepare() -> None:
    """Load the dictionary now. Blocks for half a second the first time: call it in a thread."""
    _jieba()


@lru_cache(maxsize=20_000)
def words(run: str) -> tuple[str, ...]:
    """The words of a run of Han characters, in order, without overlap."""
    return tuple(_jieba().cut(run))


@lru_cache(maxsize=20_000)
def search_words(run: str) -> tuple[str, ...]:
    """The words of a run, long ones also in their parts (保修期: 保修, 保修期)."""
    return tuple(_jieba().cut_for_search(run))


@lru_cache(maxsize=20_000)
def weight(word: str) -> float:
    """How much a word tells, 0…1: 0 for function words, 1 for rare ones; single characters half."""
    if word in STOP_ZH:
        return 0.0
    seen = max(_jieba().FREQ.get(word, 0), 1)
    told = (log(_MANY) - log(seen)) / (log(_MANY) - log(_FEW))
    return min(1.0, max(0.3, told)) * (0.5 if len(word) == 1 else 1.0)


def occurrences(word: str) -> int:
    """How often jieba's dictionary counted the word; 0 where it does not know it."""
    return int(_jieba().FREQ.get(word, 0))
