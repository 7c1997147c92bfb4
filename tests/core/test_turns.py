import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

import pytest

from bot.errors import EngineDied
from bot.testing import FakeReply, ScriptedEngine
from bot.turns import Answering
from bot.types import Generated, LocalText, Persona, Prompt, StoredMessage, TextDelta, Work
from tests.core.parts import NOW, PASSAGE, WordKnowledge, make_persona, make_work

KNOWS = make_persona(knowledge=("kb",), grounded="require")


class Scene:
    """One answer with everything around it."""

    def __init__(self, engine: ScriptedEngine, knowledge: WordKnowledge | None = None) -> None:
        self.knowledge = knowledge or WordKnowledge()
        self.reply = FakeReply(make_work().turn)
        self.engine = engine
        self.answering = Answering(knowledge=self.knowledge, engine=engine, reply=self.reply, now=lambda: NOW)

    async def answer(self, persona: Persona, work: Work | None = None) -> str:
        await self.answering.answer(work or make_work(), persona)
        assert self.reply.text == self.answering.draft.text
        return self.reply.text


async def test_a_supported_answer_is_streamed_with_its_sources() -> None:
    scene = Scene(ScriptedEngine("You have 30 days. Bring it back."))
    assert await scene.answer(KNOWS) == "You have 30 days. Bring it back."
    assert len(scene.reply.writes) == 2
    assert [source.path for source in scene.answering.draft.sources] == [PASSAGE.path]
    assert scene.answering.draft.finished is not None
    assert scene.answering.draft.budget is not None


async def test_an_unsupported_sentence_is_replaced_by_a_quotation_and_the_engine_is_freed() -> None:
    scene = Scene(ScriptedEngine("You have 30 days. This is wrong. And so on and on."))
    assert await scene.answer(KNOWS) == "“Returns take 30 days.”"
    assert scene.answering.draft.sources[0].path == PASSAGE.path
    assert scene.engine.running == 0


async def test_without_passages_a_grounded_persona_says_it_is_unsure_and_never_asks_the_model() -> None:
    scene = Scene(ScriptedEngine("Paris."))
    assert await scene.answer(KNOWS, make_work("capital of France?")) == "I am not sure."
    assert scene.engine.prompts == []
    assert await Scene(ScriptedEngine("巴黎。")).answer(KNOWS, make_work("法国的首都是哪里？")) == "我不确定。"


async def test_a_persona_that_only_prefers_grounding_answers_freely_without_passages() -> None:
    persona = make_persona(knowledge=("kb",), grounded="prefer")
    assert await Scene(ScriptedEngine("wrong.")).answer(persona, make_work("capital of France?")) == "wrong."


async def test_a_model_without_knowledge_of_its_own_does_not_answer_freely() -> None:
    persona = make_persona(knowledge=("kb",), grounded="prefer")
    scene = Scene(ScriptedEngine("Anything."))
    scene.engine.grounded_only = True
    assert await scene.answer(persona, make_work("capital of France?")) == "I am not sure."


async def test_a_model_that_answers_worse_than_its_passages_leaves_them_the_word() -> None:
    scene = Scene(ScriptedEngine("Anything."))
    scene.engine.quotes = True
    assert await scene.answer(KNOWS) == "“Returns take 30 days.”"
    assert scene.engine.prompts == []
    assert scene.answering.draft.sources[0].path == PASSAGE.path
    free = make_persona(knowledge=("kb",), grounded="off")
    scene = Scene(ScriptedEngine("Anything."))
    scene.engine.quotes = True
    assert await scene.answer(free) == "Anything."


async def test_a_follow_up_is_searched_for_with_the_question_before_it() -> None:
    scene = Scene(ScriptedEngine("You have 30 days."))
    before = StoredMessage(id="u0", role="user", text="return a chair?", turn="t0", at=NOW)
    await scene.answer(KNOWS, make_work("and a table?", history=(before,)))
    assert scene.knowledge.searched == ["and a table?", "return a chair?\nand a table?"]


async def test_an_empty_answer_becomes_the_quotation() -> None:
    assert await Scene(ScriptedEngine("")).answer(KNOWS) == "“Returns take 30 days.”"


async def test_health_answers_always_end_with_the_disclaimer_in_the_question_s_language() -> None:
    disclaimer = LocalText({"en": "No medical advice.", "zh-CN": "并非医疗建议。"})
    persona = make_persona(knowledge=("kb",), grounded="require", policy="health", disclaimer=disclaimer)
    assert (await Scene(ScriptedEngine("30 days.")).answer(persona)).endswith("\n\nNo medical advice.")
    assert (await Scene(ScriptedEngine("x")).answer(persona, make_work("多久？"))).endswith("\n\n并非医疗建议。")


async def test_engine_errors_come_out_and_what_was_shown_stays_in_the_draft() -> None:
    def script(_: object) -> BaseException:
        return EngineDied("the worker ended")

    scene = Scene(ScriptedEngine(script))
    with pytest.raises(EngineDied):
        await scene.answer(KNOWS)


async def test_cancelling_frees_the_engine_and_keeps_the_text_so_far() -> None:
    scene = Scene(ScriptedEngine("One. " * 1000, delay=0.001))
    task = asyncio.create_task(scene.answer(KNOWS))
    await until(lambda: scene.reply.text != "")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert scene.engine.running == 0
    assert scene.answering.draft.text.startswith("One.")


async def test_an_engine_that_ends_without_saying_so_is_an_error_and_no_answer() -> None:
    class Silent(ScriptedEngine):
        async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
            yield TextDelta("Half an")

    with pytest.raises(EngineDied):
        await Scene(Silent("")).answer(make_persona())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
