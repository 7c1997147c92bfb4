"""A persona with every key there is."""

from pathlib import Path

from bot.personas.messages import Language
from bot.types import Check, Example, LocalText, Sampling, ScheduledPrompt
from tests.personas.house import HEAD, read

EXAMPLE = """\
# yaml-language-server: $schema=./persona.v1.schema.json
schema: parley.persona/v1         # required
name: acme-support
title: {zh-CN: Acme 客服, en: Acme Support}
description: >-
  Answers questions about Acme orders, returns and warranty. Not for sales quotes.
languages: [en, zh-CN]
model: {use: local, temperature: 0, max_tokens: 300, top_p: 0.9, top_k: 40, repetition_penalty: 1.1,
        stop: ["END"], seed: 7, adapter: acme-v3}
instructions: |
  You are {{persona.title}}. Help {{user.name}} with orders, returns and warranty.
  It is {{time}} on {{date}}. Never promise a refund.
style: [Short paragraphs., Reply in the user's language., No emoji.]
greeting: {en: "Hi! How can I help with your order?", zh-CN: 您好！请问有什么可以帮您？}
starters:
  - {label: Track my order, prompt: Where is my order?}
examples:
  - {user: Can I get my money back?, assistant: "I can start a return. What is your order number?"}
knowledge: [{source: kb/support, top_k: 3, min_score: 0.35}]
answering:
  grounded: require
  cite: false
  when_unsure: {en: I could not find that in our help pages., zh-CN: 在帮助文档里没有找到答案。}
overlap: interrupt
handoff: {to: "slack:C0123SUPPORT", when: [user asks for a person, two failed answers]}
guardrails: {policy: customer-service, refuse: [medical or legal advice], mask: [email, phone, card]}
memory: {history_tokens: 2000, remember: [order_number], keep_days: 30}
schedule: [{cron: "0 9 * * 1-5", prompt: Post today's opening hours., to: "slack:C0123SUPPORT", timezone: Asia/Tokyo}]
widget: {accent: "#0f766e", avatar: img/acme.svg, disclaimer: AI answers can be wrong.}
checks:
  - {user: How long is the warranty?, expect: {contains: ["24 months"], cites: kb/support/warranty.md, max_words: 80}}
extensions: {card: {creator: Ann, 5: [1, 2.5, no, ~]}}
"""


def furnish(folder: Path) -> None:
    (folder / "kb" / "support").mkdir(parents=True)
    (folder / "img").mkdir()
    (folder / "img" / "acme.svg").touch()


def test_what_has_no_effect_yet_is_noted_and_everything_else_is_right(tmp_path: Path) -> None:
    furnish(tmp_path)
    problems = read(tmp_path, EXAMPLE, name="acme-support.yaml").problems
    assert [(p.line, p.column, p.code, p.severity) for p in problems] == [
        (25, 1, "not-active", "note"),
        (26, 14, "not-active", "note"),
        (26, 40, "not-active", "note"),
        (26, 75, "not-active", "note"),
        (29, 29, "not-active", "note"),
    ]
    assert problems[0].message == '"handoff" is not active yet and has no effect'


def test_every_active_key_reaches_the_persona(tmp_path: Path) -> None:
    furnish(tmp_path)
    reading = read(tmp_path, EXAMPLE, name="acme-support.yaml")
    persona = reading.persona
    assert persona is not None
    assert persona.name == "acme-support"
    assert persona.version == reading.digest[:16]
    assert list(persona.title.texts.items()) == [("en", "Acme Support"), ("zh-CN", "Acme 客服")]
    assert persona.description.startswith("Answers questions about Acme")
    assert persona.languages == ("en", "zh-CN")
    assert persona.sampling == Sampling(
        temperature=0, max_tokens=300, top_p=0.9, top_k=40, repetition_penalty=1.1, stop=("END",), seed=7
    )
    assert persona.adapter == "acme-v3"
    assert persona.instructions.pick("zh").startswith("You are {{persona.title}}.")
    assert persona.style == ("Short paragraphs.", "Reply in the user's language.", "No emoji.")
    assert persona.greeting is not None
    assert persona.greeting.pick("zh") == "您好！请问有什么可以帮您？"
    assert persona.starters[0].prompt == LocalText({"en": "Where is my order?"})
    assert persona.examples == (
        Example(user="Can I get my money back?", assistant="I can start a return. What is your order number?"),
    )
    (source,) = persona.knowledge
    assert (source.path, source.label) == ((tmp_path / "kb" / "support").resolve(), "kb/support")
    assert (source.top_k, source.min_score) == (3, 0.35)
    assert (persona.grounded, persona.cite, persona.history_tokens) == ("require", False, 2000)
    assert (persona.remember, persona.keep_days, persona.overlap) == (("order_number",), 30, "interrupt")
    assert persona.when_unsure is not None
    assert persona.checks == (
        Check(
            user="How long is the warranty?",
            contains=("24 months",),
            cites="kb/support/warranty.md",
            max_words=80,
        ),
    )
    assert persona.schedule == (
        ScheduledPrompt(
            cron="0 9 * * 1-5",
            prompt="Post today's opening hours.",
            to="slack:C0123SUPPORT",
            timezone="Asia/Tokyo",
        ),
    )
    assert persona.policy == "customer-service"
    assert (persona.accent, persona.avatar) == ("#0f766e", "img/acme.svg")
    assert persona.disclaimer == LocalText({"en": "AI answers can be wrong."})


def test_the_least_persona_answers_with_defaults(tmp_path: Path) -> None:
    reading = read(tmp_path, HEAD)
    assert reading.problems == ()
    assert reading.persona is not None
    assert reading.persona.title.pick(None) == "acme"
    assert reading.persona.sampling == Sampling()


def test_people_are_told_in_both_languages_where_ratings_may_train_the_model_and_only_there(tmp_path: Path) -> None:
    may, least = read(tmp_path, HEAD + "memory: {train_on_rated: true}\n").persona, read(tmp_path, HEAD).persona
    assert may is not None
    assert least is not None
    assert may.rating_notice is not None
    assert "train" in may.rating_notice.pick("en")
    assert "训练" in may.rating_notice.pick("zh-CN")
    assert least.rating_notice is None


def test_words_that_older_yaml_took_for_something_else_stay_text(tmp_path: Path) -> None:
    persona = read(tmp_path, HEAD + "title: no\ngreeting: 12:30\nstyle: [on, 1_000, 0o8, 2024-01-01]\n").persona
    assert persona is not None
    assert persona.title.pick(None) == "no"
    assert persona.greeting == LocalText({"en": "12:30"})
    assert persona.style == ("on", "1_000", "0o8", "2024-01-01")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + (HEAD + "titel: x\n").replace("\n", "\r\n")
    (problem,) = read(tmp_path, text).problems
    assert (problem.line, problem.column) == (5, 1)


def test_the_version_follows_the_bytes_of_the_file(tmp_path: Path) -> None:
    versions = set()
    for text in (HEAD, HEAD + "# a comment\n", HEAD):
        persona = read(tmp_path, text).persona
        assert persona is not None
        versions.add(persona.version)
    assert len(versions) == 2


def test_a_health_persona_with_its_disclaimer_is_active(tmp_path: Path) -> None:
    language: Language = "zh"
    text = HEAD + "guardrails: {policy: health}\nwidget: {disclaimer: Not medical advice.}\n"
    reading = read(tmp_path, text, language=language)
    assert reading.problems == ()
    assert reading.persona is not None
    assert reading.persona.policy == "health"


def test_a_misspelt_policy_is_noted_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (note,) = read(tmp_path, HEAD + "guardrails: {policy: helth}\n").problems
    assert note.severity == "note"
    assert note.message.endswith('did you mean "health"?')
