"""The comparison itself, on a tiny model: every row is there, and every rival gets the work that ours gets."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ConfigError, EngineError, ModelRefused
from bot.measuring.compare import OURS, Options, compare
from bot.measuring.rivals import rival
from tests.engine.models import make_folder

pytestmark = pytest.mark.slow

SMALL = Options(conversations=(1, 3), shortest=20, longest=60, new=6, threads=1, device="cpu", precision="float32")


def quiet(title: str, answers: int) -> object:
    return lambda: None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("model") / "tiny", max_position_embeddings=512)


@pytest.mark.timeout(600)  # three processes import torch and transformers
async def test_all_are_asked_the_same_and_answer_all(folder: Path) -> None:
    told: dict[str, list[int]] = {}

    def watch(title: str, answers: int) -> object:
        told[title] = [answers, 0]

        def one() -> None:
            told[title][1] += 1

        return one

    options = replace(SMALL, against=("generate", "transformers"))
    found = await compare(str(folder), options, watch)  # type: ignore[arg-type] # a plain function will do
    assert all(expected == answered for expected, answered in told.values())
    work: dict[tuple[str, int], set[tuple[int, int]]] = {}
    for row in found.rows:
        work.setdefault((row.workload, row.conversations), set()).add((row.figures.answers, row.figures.new_tokens))
        assert row.figures.tokens_per_second > 0
        assert row.figures.memory
        assert row.figures.memory > 50 * 2**20
        assert row.ratio == 1 if row.who == "generate" else row.ratio is not None and row.ratio > 0
    assert len(found.rows) == 3 * 4
    assert work["arrivals", 1] == {(3, 18)}
    assert work["arrivals", 3] == {(3, 18)}
    assert work["chat", 3] == {(9, 27)}
    cached = {(row.workload, row.conversations): row.figures.cached for row in found.rows if row.who == OURS}
    assert cached["chat", 3] > 0.5
    assert cached["arrivals", 3] < 0.3


async def test_what_does_not_fit_the_context_is_said_before_anything_is_loaded(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--prompt-tokens"):
        await compare(str(folder), Options(shortest=64, longest=512, new=64), quiet)  # type: ignore[arg-type] # as above


async def test_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelRefused, match="no/such/folder"):
        await compare("./no/such/folder", SMALL, quiet)  # type: ignore[arg-type] # as above


async def test_a_rival_that_breaks_down_says_its_last_words(folder: Path) -> None:
    broken = [sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit('no luck today')"]
    with pytest.raises(EngineError, match=r"generate ended \(exit 1\): no luck today"):
        async with rival("generate", broken, folder=folder, precision="int8", threads=1, device="cpu"):
            pass
