import re
from collections.abc import Sequence
from itertools import islice
from random import Random

import pytest

from bot.prompt import render_question
from bot.training.dialogues import dialogues, drill, exchange, render
from bot.training.dialogues.exchange import Exchange, unsure
from bot.training.dialogues.grammar import expand, expansions, slots
from bot.training.dialogues.grounded import ask_leaflets
from bot.training.dialogues.topics import DOMAINS, LANGUAGES, NAMES, topics
from bot.training.dialogues.words import Words, allowed, held_out, table

ATTRIBUTES = {lang: [a for d in DOMAINS for t in topics(lang, d) for a in t.attributes] for lang in LANGUAGES}


def test_the_same_seed_gives_the_same_dialogues_and_another_seed_others() -> None:
    first, again, other = (list(islice(dialogues(seed, drills=0.5), 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_answer_to_an_answerable_question_stands_word_for_word_in_a_passage() -> None:
    random = Random(3)
    for made in _many(random):
        if made.kind == "answer" and made.form != "short":
            said = made.answer.strip("\u201c\u201d")
            assert any(said in p.text for p in made.passages), made


def test_a_short_answer_gives_values_of_one_passage() -> None:
    for made in _many(Random(3)):
        if made.kind == "answer" and made.form == "short":
            values = re.findall(r"\d+", made.answer)
            assert any(all(value in p.text for value in values) for p in made.passages), made


def test_the_form_of_the_answer_follows_the_rule_that_the_persona_is_given() -> None:
    random = Random(2)
    seen = set()
    for made in _many(random):
        if made.kind == "answer":
            rules = render(random, made)[0].text
            assert made.form == "sentence" or any(rule in rules for rule in table("voices")[made.language][made.form])
            assert (made.form == "quotation") == made.answer.startswith("\u201c")
            seen.add(made.form)
    assert seen == {"sentence", "quotation", "short"}


def test_an_unanswerable_question_has_passages_and_is_answered_by_saying_so() -> None:
    found = [m for m in _many(Random(4)) if m.kind == "unanswerable"]
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
    for made in _many(random, 50):
        user = render(random, made)[1]
        assert user.text == render_question(made.question, made.passages, language=made.language)


def test_a_drill_asks_several_questions_about_passages_that_it_shows_once() -> None:
    random = Random(6)
    several = 0
    for _ in range(100):
        made = drill(random)
        assert len({m.passages for m in made}) == 1
        said = render(random, *made)
        assert [m.role for m in said] == ["system", *["user", "assistant"] * len(made)]
        assert [m.text for m in said[3::2]] == [m.question for m in made[1:]]
        several += len(made) > 2
    assert several > 50


def test_health_answers_end_with_the_disclaimer() -> None:
    random = Random(7)
    seen = 0
    for made in _many(random, 1000):
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_sentences_and_questions_never_stand_in_a_training_dialogue(language: str) -> None:
    random = Random(8)
    made = [m for _ in range(1500) for m in drill(random)]
    said = [text for m in made for text in (m.question.lower(), *(p.text.lower() for p in m.passages))]
    text = "\n".join(said)
    kept = [line for a in ATTRIBUTES[language] for line in (a.say[-1], a.ask[-1]) if not slots(line)]
    assert len(kept) > 50
    longest = {line: expand(Random(1), line).lower().rstrip("?？.。") for line in kept}
    assert [line for line, plain in longest.items() if len(plain) > 8 and plain in text] == []


def test_questions_of_a_held_out_split_hold_something_unseen() -> None:
    random = Random(9)
    for language in LANGUAGES:
        for _ in range(200):
            for made in ask_leaflets(random, language=language, split="entities", form="sentence"):
                names = {w for kind in table("words")[language].values() for w in kind if held_out(w)}
                shown = made.question + "".join(p.text + " ".join(p.heading) for p in made.passages)
                assert made.domain in ("shop", "place") or any(name in shown for name in names), made


def test_a_question_about_leaflets_is_answered_by_one_sentence_of_them_alone() -> None:
    """Where the same attribute stands there twice, the question names the thing or the owner it asks about."""
    random = Random(11)
    for language in LANGUAGES:
        for _ in range(300):
            for made in ask_leaflets(random, language=language, split="train", form="sentence"):
                owners = {p.heading[0] for p in made.passages if made.answer in p.text}
                assert len(owners) == 1, made


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_attribute_is_said_in_forty_ways_and_asked_in_thirty_beside_the_held_out_ones(language: str) -> None:
    few = [a.key for a in ATTRIBUTES[language] if _ways(a.sayings("train")) < 40 or _ways(a.askings("train")) < 30]
    assert few == []


def test_both_languages_have_the_same_attributes_with_the_same_slots() -> None:
    one, other = ({a.key: a.slots for a in ATTRIBUTES[language]} for language in LANGUAGES)
    assert one == other


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_hold_all_slots_of_their_attribute_and_questions_never_the_value(language: str) -> None:
    for about in ATTRIBUTES[language]:
        assert all(slots(line) == about.slots for line in about.say), about.key
        assert all(slots(line) <= about.slots & set(NAMES) for line in about.ask), about.key
        assert about.short is None or all(not slots(line) & slots(about.short) for line in about.ask), about.key
        assert about.short is None or slots(about.short) <= about.slots, about.key


def test_every_slot_of_every_table_can_be_filled() -> None:
    for language in LANGUAGES:
        for about in ATTRIBUTES[language]:
            words = Words(Random(1), language=language, split="train")
            for template in (*about.say, *about.ask):
                assert not set("{}[]|") & set(words.fill(expand(Random(1), template))), template


def test_choices_are_counted_and_taken_one_at_a_time() -> None:
    template = "[a|b|]x[c|d]"
    assert expansions(template) == 6
    assert {expand(Random(n), template) for n in range(200)} == {"axc", "axd", "bxc", "bxd", "xc", "xd"}


def test_words_are_parted_only_where_both_sides_have_some() -> None:
    words = [str(n) for n in range(100)]
    assert sorted(allowed(words, held=True) + allowed(words, held=False), key=int) == words
    lone = [w for w in words if held_out(w)][:1]
    assert allowed(lone, held=False) == lone == allowed(lone, held=True)


def _many(random: Random, count: int = 500) -> list[Exchange]:
    return [exchange(random) for _ in range(count)]


def _ways(templates: Sequence[str]) -> int:
    return sum(map(expansions, templates))
