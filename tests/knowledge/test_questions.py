"""How well the built-in knowledge is found: everyday questions, and questions from other worlds, in `questions.txt`."""

from pathlib import Path

import pytest

from bot import personas
from bot.knowledge import Library
from tests.knowledge.conftest import make_persona

KNOWLEDGE = Path(personas.__file__).parent / "builtin" / "kb"


async def test_everyday_questions_find_their_document_and_foreign_ones_nothing() -> None:
    library = Library()
    right, asked, strayed, foreign = 0, 0, 0, 0
    missed: list[str] = []
    for line in (Path(__file__).parent / "questions.txt").read_text("utf-8").splitlines():
        name, question, expected = line.split(" | ")
        passages = await library.search(make_persona(KNOWLEDGE / name), question)
        if expected == "nothing":
            foreign += 1
            strayed += bool(passages)
        else:
            asked += 1
            found = bool(passages) and passages[0].path.endswith(expected)
            right += found
            missed += [] if found else [line]
    assert right >= 0.9 * asked, missed
    assert strayed <= 0.1 * foreign


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How long do I have to return a lamp?", "en/returns.md"),
        ("I want to return my umbrella", "en/returns.md"),
        ("What does it cost to send a clock back?", "en/returns.md"),
        ("My clock stopped working", "en/warranty.md"),
        ("How do I clean a lampshade?", "en/care.csv"),
        ("台灯可以退吗？", "zh/returns.md"),
        ("我想退一把雨伞", "zh/returns.md"),
        ("雨伞怎么晾干？", "zh/care.csv"),
    ],
)
async def test_what_is_said_of_any_item_answers_for_one_and_what_is_said_of_that_one_comes_first(
    question: str, expected: str
) -> None:
    passages = await Library().search(make_persona(KNOWLEDGE / "support"), question)
    assert passages[0].path.endswith(expected)
