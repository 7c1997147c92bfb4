"""A persona's checks, asked as people ask."""

import pytest

from bot.checks import Checked, run_checks
from bot.errors import EngineDied
from bot.ports import Engine
from bot.testing import ScriptedEngine
from bot.types import Check, Persona, Prompt
from tests.core.parts import NOW, PASSAGE, WordKnowledge, make_persona


async def asked(engine: Engine, *checks: Check, **fields: object) -> tuple[Checked, ...]:
    persona: Persona = make_persona(checks=checks, grounded="prefer", knowledge=("kb",), **fields)
    return await run_checks([persona], engine=engine, knowledge=WordKnowledge(), now=lambda: NOW)


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        (Check(user="How long?", contains=("30 Days",), cites=PASSAGE.path, max_words=4), 0),
        (Check(user="How long?", contains=("30  days", "refund")), 1),
        (Check(user="How long?", cites="kb/other.md", max_words=3), 2),
        (Check(user="Hello"), 0),
        (Check(user="Hello", cites=PASSAGE.path), 1),
    ],
)
async def test_an_answer_passes_where_it_has_all_that_is_expected(check: Check, wrong: int) -> None:
    [found] = await asked(ScriptedEngine("Returns take 30 days."), check)
    assert len(found.wrong) == wrong
    assert found.passed == (wrong == 0)
    assert found.answer == "Returns take 30 days."


async def test_chinese_is_counted_by_characters() -> None:
    checks = (Check(user="你好", max_words=5), Check(user="你好", max_words=4))
    assert [one.passed for one in await asked(ScriptedEngine("可以，30 天内。"), *checks)] == [True, False]


async def test_each_check_is_asked_alone_with_the_persona_s_prompt_and_one_seed() -> None:
    engine = ScriptedEngine("ok")
    found = await asked(engine, *(Check(user=f"question {n}") for n in range(20)))
    assert [one.question for one in found] == [f"question {n}" for n in range(20)]
    assert {len(prompt.messages) for prompt in engine.prompts} == {2}
    assert len({prompt.sampling.seed for prompt in engine.prompts} - {None}) == 1


async def test_an_engine_that_fails_fails_the_check_and_not_the_others() -> None:
    def script(prompt: Prompt) -> str | BaseException:
        return EngineDied("it ended") if "two" in prompt.messages[-1].text else "ok"

    found = await asked(ScriptedEngine(script), Check(user="one"), Check(user="two"), Check(user="three"))
    assert [one.passed for one in found] == [True, False, True]
    assert "it ended" in found[1].wrong[0]
