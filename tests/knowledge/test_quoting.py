from pathlib import Path

from bot.knowledge import Library
from tests.knowledge.conftest import make_persona, passage

LONG = passage(
    "The shop was founded by two sisters in the year 1998 and has moved house three times since, always within the "
    "old town. Lamps leave our workshop with a warranty of 24 months. It begins on the day of delivery and covers "
    "faults in material and workmanship. Umbrellas are made in the back room, where you can watch on Saturdays.",
    "The shop",
)


def test_the_sentence_that_answers_is_quoted_with_its_source() -> None:
    answer = Library().quote(make_persona(), "How long is the warranty on lamps?", [LONG], locale="en")
    assert answer.text.startswith("“Lamps leave our workshop with a warranty of 24 months.")
    assert "sisters" not in answer.text
    assert [(each.title, each.path, each.text) for each in answer.sources] == [("The shop", "kb/x.md", LONG.text)]


def test_a_sentence_that_leans_on_the_one_before_brings_it_along() -> None:
    answer = Library().quote(make_persona(), "What faults in material are covered?", [LONG], locale="en")
    assert answer.text.startswith("“Lamps leave our workshop")
    assert "covers faults" in answer.text


def test_a_chinese_sentence_is_chosen_likewise() -> None:
    text = (
        "本店由两姐妹于很多年前在老城区创办，后来搬过三次家，一直没有离开老城区，许多老顾客至今还常常来店里坐坐聊天喝茶。"
        "台灯的保修期是 24 个月。"
        "雨伞都是在后面的作坊里手工做的，星期六可以来参观，也可以自己动手试一试。"
    )
    answer = Library().quote(make_persona(), "台灯保修多久？", [passage(text, "小店")], locale="zh-CN")
    assert answer.text.startswith("“台灯的保修期是 24 个月。")


def test_an_answer_is_quoted_whole_and_several_lines_stand_as_they_are() -> None:
    story = passage("Once upon a time.", "Tell a story", answer="Once upon a time.\nThe end.")
    assert Library().quote(make_persona(), "a story", [story], locale="en").text == "Once upon a time.\nThe end."
    whole = passage("First.", "Q?", answer="First. Second. " + "More words here. " * 40)
    assert Library().quote(make_persona(), "q", [whole], locale="en").text.endswith("More words here.”")


def test_nothing_found_is_said_in_the_personas_words_or_in_ours() -> None:
    persona, bare = make_persona(), make_persona(when_unsure=None, greeting=None)
    library = Library()
    assert library.quote(persona, "Why?", (), locale="en").text.startswith("I could not find that. Write to")
    assert library.quote(persona, "为什么？", (), locale="zh-CN").text == "没有找到答案。"
    assert library.quote(persona, "为什么？", (), locale=None).text == "没有找到答案。"
    assert library.quote(bare, "Why?", (), locale="en").text == "I could not find that in my material."
    assert library.quote(bare, "为什么？", (), locale="zh-CN").text == "在我的资料里没有找到答案。"
    assert library.quote(bare, "hello", (), locale="en").sources == ()


def test_a_greeting_is_greeted_back() -> None:
    for hello in ("Hi!", "hello there", "Good morning.", "Who are you?"):
        assert Library().quote(make_persona(), hello, (), locale="en").text == "Welcome to the shop!"
    for hello in ("你好！", "您好，你是谁？", "你能做什么"):
        assert Library().quote(make_persona(), hello, (), locale="zh-CN").text == "欢迎光临！"
    assert "could not" in Library().quote(make_persona(), "Hi, what is a quark?", (), locale="en").text


def test_a_persona_that_does_not_cite_shows_no_sources() -> None:
    assert Library().quote(make_persona(cite=False), "lamps?", [LONG], locale="en").sources == ()


async def test_what_is_quoted_passes_the_guard(shop: Path) -> None:
    library, persona = Library(), make_persona(shop)
    for question in ("How long is the warranty on a lamp?", "Are you open on Sunday?", "退货期限是多久？"):
        passages = await library.search(persona, question)
        text = library.quote(persona, question, passages, locale=None).text
        guard = library.guard(persona, question, passages)
        assert guard.write(text) + guard.finish() == text
        assert guard.sources()[0].path == passages[0].path
