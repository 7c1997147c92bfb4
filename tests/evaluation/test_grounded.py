from bot.evaluation.baselines import best_sentences, random_spans
from bot.evaluation.grounded import Answers, ask_all, mark, quality
from bot.evaluation.honesty import honesty
from bot.evaluation.matching import exact
from bot.evaluation.measures import Measured
from bot.evaluation.questions import ABLATIONS, SPLITS, Asked, ablate, questions
from bot.evaluation.run import released
from bot.training.dialogues.exchange import unsure
from tests.evaluation.subjects import Rule, Scripted, quoting, remembering

ITEMS = 16


def every(split: str | None = None) -> list[Asked]:
    return [a for s in SPLITS if split in (None, s) for a in questions(s, items=ITEMS, seed=0)]


def measured(rule: Rule) -> tuple[Answers, Measured]:
    subject = Scripted(rule)
    answers = ask_all(subject, items=ITEMS, seeds=(0,), tell=lambda _: None)  # type: ignore[arg-type]  # answers is all it needs
    return answers, quality(answers, subject, tell=lambda _: None)  # type: ignore[arg-type]  # likewise


def test_a_perfect_quoter_is_always_right_and_falls_to_nothing_without_its_passages() -> None:
    answers, found = measured(quoting([a for a in every() if a.answerable]))
    for split in SPLITS:
        figures = found.figures[split]
        assert figures["exact_match"]["value"] == 1.0
        assert figures["token_f1"]["value"] == 1.0
        for name in ABLATIONS:
            assert figures["ablations"][name]["exact_match"]["value"] <= 0.05, name
    honest = honesty(answers).figures
    assert all(f["f1"]["value"] == 1.0 for f in honest["refusals"].values())
    assert all(f["without_guard"]["value"] == 0.0 for f in honest["numbers"].values())


def test_a_perfect_quoter_passes_the_release_rule_and_one_that_never_refuses_does_not() -> None:
    right = quoting([a for a in every() if a.answerable])
    answers, found = measured(right)
    verdict = released({"grounded": found.figures, "honesty": honesty(answers).figures})
    beaten = [s for s, f in verdict["splits"].items() if s != "train" and f["bm25_sentence"] == 1.0]
    assert verdict["passed"] or beaten  # on so few questions the baseline itself may be perfect
    answers, found = measured(lambda text: right(text).replace("That is not in the material.", "Blue."))
    assert not released({"grounded": found.figures, "honesty": honesty(answers).figures})["passed"]


def test_a_model_that_remembers_is_found_out_by_the_ablations_and_by_what_it_never_saw() -> None:
    _, found = measured(remembering(every("train")))
    seen = found.figures["train"]
    assert seen["exact_match"]["value"] > 0.8
    for name in ABLATIONS:
        assert seen["ablations"][name]["exact_match"]["value"] > 0.8, name
    assert found.figures["entities"]["exact_match"]["value"] < 0.3


def test_numbers_that_nothing_states_are_counted_and_the_guard_lets_none_through() -> None:
    answers, _ = measured(lambda _: "It costs 987654 euros.")
    for figures in honesty(answers).figures["numbers"].values():
        assert figures["without_guard"]["value"] == 1.0
        assert figures["with_guard"]["value"] == 0.0
        assert figures["replaced_by_quotation"]["value"] == 1.0


def test_refusing_everything_has_full_recall_and_the_f1_that_the_report_names() -> None:
    by_question = {a.prompt[-1].text: unsure(a.exchange.language) for a in every()}
    answers, _ = measured(lambda text: by_question.get(text, ""))
    for figures in honesty(answers).figures["refusals"].values():
        assert figures["recall"]["value"] == 1.0
        assert figures["f1"]["value"] == figures["f1_of_always_refusing"]


def test_the_same_seed_asks_the_same_and_another_seed_something_else() -> None:
    first, again, other = (questions("train", items=10, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sum(a.answerable for a in first) == 10


def test_ablated_questions_keep_their_question_and_lose_their_answer() -> None:
    asked = [a for a in questions("train", items=40, seed=3) if a.answerable and a.exchange.form != "short"]
    for name in ABLATIONS:
        changed = ablate(asked, name, seed=0)
        for before, after in zip(asked, changed, strict=True):
            assert after.exchange.question == before.exchange.question
            assert after.prompt[-1].text.endswith(before.exchange.question)
        left = sum(
            before.exchange.answer.strip("“”") in after.prompt[-1].text
            for before, after in zip(asked, changed, strict=True)
        )
        assert left <= 1, name  # a shuffle may give the old order back


def test_the_best_sentence_is_often_right_and_a_random_span_is_less_often() -> None:
    asked = [a for a in questions("entities", items=60, seed=0) if a.answerable]
    best = sum(exact(text, a.exchange.answer) for text, a in zip(best_sentences(asked), asked, strict=True))
    spans = sum(mark(text, a).exact for text, a in zip(random_spans(asked, seed=0), asked, strict=True))
    assert best > 30
    assert spans < best
    for text, each in zip(best_sentences(asked), asked, strict=True):
        assert any(text in passage.text for passage in each.exchange.passages)
