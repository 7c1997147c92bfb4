import re
from itertools import islice
from random import Random

from bot.prompt import render_question
from bot.training.dialogues import dialogues, exchange, render
from bot.training.dialogues.grounded import ask_topic, unsure
from bot.training.dialogues.topics import LANGUAGES, allowed, has_held_out, topics
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


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(".+?".join(map(re.escape, re.split(r"\{\w+\}", template))))


def test_held_out_templates_never_stand_in_a_training_dialogue() -> None:
    kept = [
        _pattern(template)
        for language in LANGUAGES
        for topic in topics(language)
        for fact in topic.facts
        for templates in fact
        if has_held_out(templates)
        for template in allowed(templates, held=True)
        if len(re.sub(r"{\w+}", "", template)) > 5  # shorter ones also match by chance
    ]
    assert len(kept) > 20
    random = Random(8)
    said = []
    for _ in range(1500):
        made = exchange(random)
        said += [made.question, made.answer, *(p.text for p in made.passages)]
    text = "\n".join(said)
    others = {t for lang in LANGUAGES for topic in topics(lang) for fact in topic.facts for ts in fact for t in ts} - {
        t for lang in LANGUAGES for topic in topics(lang) for f in topic.facts for ts in f for t in ts if held_out(t)
    }
    plain = "\n".join(others)
    assert [p.pattern for p in kept if p.search(text) and not p.search(plain)] == []


def test_questions_of_a_held_out_split_hold_something_unseen() -> None:
    random = Random(9)
    for _ in range(300):
        made = ask_topic(random, language="en", split="entities")
        assert made.domain in {"shop", "place"}
    kept = [
        _pattern(t)
        for topic in topics("en")
        for fact in topic.facts
        for templates in fact
        if has_held_out(templates)
        for t in allowed(templates, held=True)
    ]
    hits = 0
    for _ in range(300):
        made = ask_topic(random, language="en", split="templates")
        hits += any(p.search(made.question) or p.search(made.answer) for p in kept)
    assert hits > 150  # slips, lower case and questions in the other language hide some


def test_every_slot_of_every_table_can_be_filled() -> None:
    for language in LANGUAGES:
        for topic in topics(language):
            words = Words(Random(1), language=language, split="train")
            for says, asks in topic.facts:
                for template in (*says, *asks):
                    assert "{" not in words.fill(template)
