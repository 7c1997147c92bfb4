import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ModelRefused
from bot.evaluation.compare import compare
from bot.evaluation.options import GROUPS, Options
from bot.evaluation.report import comparison_page, headlines, page
from bot.evaluation.run import evaluate
from bot.evaluation.subject import open_subject, subject_of
from tests.evaluation.pages import stands_alone
from tests.evaluation.subjects import tiny

FEW = Options(items=1, seeds=1, documents=1, share=0.01, prompts=2, data=("tales.txt",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, Any]:
    tales = folder.parent / "tales.txt"
    tales.write_text("The fox ran over the hill.\n<|doc|>\n狐狸跑过山丘。\n", encoding="utf-8")
    done: dict[str, int] = {}

    def watch(group: str, expected: int) -> Any:
        done[group] = 0

        def tell(count: int) -> None:
            done[group] += count

        return tell

    found = evaluate(open_subject(str(folder), device="cpu"), FEW, data=[tales], watch=watch)
    assert done["grounded"] > 0
    assert done["fairness"] > 0
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


@pytest.mark.slow
def test_every_group_is_measured_and_shown(results: dict[str, Any]) -> None:
    assert list(results["groups"]) == list(GROUPS)
    assert set(results["groups"]["grounded"]) == {"train", "templates", "entities", "both"}
    assert results["release"]["passed"] is False
    assert results["groups"]["text"]["sources"]["tales"]["kept_from_training"] is False
    assert results["groups"]["export"]["variants"]["bfloat16"]["max_logit_error"] > 0
    assert results["groups"]["export"]["variants"]["int8"]["max_logit_error"] > 0
    made = page(results)
    stands_alone(made)
    for title in ("Text", "Answers from passages", "Refusals and numbers", "Personas", "Bias and safety", "Export"):
        assert title in made
    assert headlines(results)


@pytest.mark.slow
def test_a_page_of_some_groups_shows_those(results: dict[str, Any]) -> None:
    for group in GROUPS:
        some = {**results, "groups": {group: results["groups"][group]}, "release": None}
        stands_alone(page(some))
        headlines(some)


@pytest.mark.slow
def test_an_evaluation_compares_with_itself_as_equal(results: dict[str, Any]) -> None:
    found = compare(results, results)
    assert {row["verdict"] for row in found["measures"]} == {"as good"}
    assert not found["gate"]["passed"]
    stands_alone(comparison_page(found))


def test_batched_answers_are_those_of_one_at_a_time(folder: Path) -> None:
    from bot.types import Message

    subject = open_subject(str(folder), device="cpu")
    prompts = [(Message(role="user", text="order " * n),) for n in (3, 1, 7, 2)]
    together = subject.answers(prompts, limit=12)
    assert together == [subject.answers([prompt], limit=12)[0] for prompt in prompts]
    assert all(said.tokens <= 12 for said in together)


def test_a_prompt_longer_than_the_context_is_said_not_to_fit(folder: Path) -> None:
    from bot.types import Message

    subject = open_subject(str(folder), device="cpu")
    [long, short] = subject.answers([(Message(role="user", text=text),) for text in ("ä" * 5000, "a")], limit=3)
    assert not long.fits
    assert short.fits


def test_a_model_in_memory_answers_like_its_folder(folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from bot.types import Message

    prompt = (Message(role="user", text="When does the order arrive?"),)
    there = open_subject(str(folder), device="cpu")
    model = AutoModelForCausalLM.from_pretrained(folder)
    here = subject_of(model, AutoTokenizer.from_pretrained(folder))
    assert here.chat.encode(prompt) == there.chat.encode(prompt)
    assert here.answers([prompt], limit=1)[0].text == there.answers([prompt], limit=1)[0].text


def test_a_hub_name_is_sent_to_its_folder() -> None:
    with pytest.raises(ModelRefused, match="hf download"):
        open_subject("nobody/nothing")
