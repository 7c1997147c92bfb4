from itertools import islice
from random import Random

from bot.prompt import render_question
from bot.training.dialogues import dialogues, exchange, render
from bot.training.dialogues.grounded import unsure
from bot.training.dialogues.topics import LANGUAGES, allowed, topics
from bot.training.dialogues.words import Words, held_out, table


def test_the_same_seed_gives_the_same_dialogues_and_another_seed_others() -> None:
    first, again, other = (list(islice(dialogues(seed), 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_answer_to_an_answerable_question_stands_word_for_word_in_a_passage() -> None:
    random = Random(3)
    for _ in range(500):
        made = exchange(random)
        if made.kind == "answer":
            assert any(made.answer in p.text for p in made.passages), made


def test_an_unanswerable_question_has_passages_and_is_answered_by_saying_so() -> None:
    random = Random(4)
    found = [m for m in (exchange(random) for _ in range(500)) if m.kind == "unanswerable"]
    assert len(found) > 50
    assert all(m.passages and m.answer == unsure(m.language) for m in found)


def test_kinds_come_in_about_their_shares_and_both_languages_alike() -> None:
    random = Random(5)
    made = [exchange(random) for _ in range(2000)]
    assert 0.50 < sum(m.kind == "answer" for m in made) / 2000 < 0.60
    assert 0.16 < sum(m.kind == "unanswerable" for m in made) / 2000 < 0.24
    assert 0.45 < sum(m.language == "zh" for m in made) / 2000 < 0.55


def test_the_user_message_is_what_the_prompt_builder_renders() -> None:
    random = Random(6)
    for _ in range(50):
        made = exchange(random)
        user = render(random, made)[1]
        assert user.text == render_question(made.question, made.passages, language=made.language)


def test_health_answers_end_with_the_disclaimer() -> None:
    random = Random(7)
    seen = 0
    for _ in range(1000):
        made = exchange(random)
        if made.domain == "health" and made.kind == "answer":
            seen += 1
            assert render(random, made)[2].text == f"{made.answer}\n{table('voices')[made.language]['disclaimer']}"
    assert seen > 20


def test_held_out_names_never_appear_in_training() -> None:
    for language in LANGUAGES:
        kept = {Words(Random(n), language=language, split="entities").value("name") for n in range(200)}
        seen = {Words(Random(n), language=language, split="train").value("name") for n in range(2000)}
        assert kept
        assert not kept & seen


def test_held_out_templates_are_never_said_or_asked_in_training() -> None:
    for language in LANGUAGES:
        for topic in topics(language):
            for says, asks in topic.facts:
                for templates in (says, asks):
                    held, rest = allowed(templates, held=True), allowed(templates, held=False)
                    if any(map(held_out, templates)) and not all(map(held_out, templates)):
                        assert not set(held) & set(rest)


def test_every_slot_of_every_table_can_be_filled() -> None:
    for language in LANGUAGES:
        for topic in topics(language):
            words = Words(Random(1), language=language, split="train")
            for says, asks in topic.facts:
                for template in (*says, *asks):
                    assert "{" not in words.fill(template)
