"""answer(): one question → one streamed reply."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import EngineDied, UnsupportedClaim
from bot.language import language_of
from bot.ports import Engine, Guard, Knowledge, ReplyStream
from bot.prompt import build
from bot.types import Answer, Budget, Finished, Passage, Persona, Prompt, Source, TextDelta, Work


@dataclass(slots=True, kw_only=True)
class Draft:
    """The reply as far as it got: what is shown, what it rests on, and what it cost.

    It outlives a cancelled `answer`, so that a stopped turn keeps what the reader already has.
    """

    text: str = ""
    sources: tuple[Source, ...] = ()
    budget: Budget | None = None
    finished: Finished | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """The parts a reply is made with, and where it goes."""

    knowledge: Knowledge
    engine: Engine
    reply: ReplyStream
    now: Callable[[], datetime]
    draft: Draft = field(default_factory=Draft)

    async def answer(self, work: Work, persona: Persona) -> None:
        """Answer into the reply and the draft. Raises EngineError; cancelling it frees the engine at once."""
        question = "\n".join(message.text for message in work.question)
        language = language_of(question, persona.languages, locale=work.turn.locale)
        passages = await self._search(persona, question, work)
        needs_passages = persona.grounded == "require" or (persona.grounded == "prefer" and self.engine.grounded_only)
        is_quoted = bool(passages) and persona.grounded != "off" and self.engine.quotes
        if not is_quoted and (passages or not needs_passages):
            prompt = build(
                persona,
                question=question,
                passages=passages,
                memory=work.memory,
                language=language,
                user=work.question[0].author or "",
                now=self.now(),
                context=self.engine.context,
                count=self.engine.count_tokens,
                conversation=work.turn.conversation.encode(),
            )
            self.draft.budget = prompt.budget
            await self._generate(prompt, persona, question, passages, language)
        else:
            await self._say(self.knowledge.quote(persona, question, passages, locale=language))
        if persona.policy == "health" and persona.disclaimer is not None:
            await self._write("\n\n" + persona.disclaimer.pick(language))

    async def _search(self, persona: Persona, question: str, work: Work) -> tuple[Passage, ...]:
        """Passages for the question; a follow-up that finds none is searched for with the question before it."""
        if not persona.knowledge:
            return ()
        passages = await self.knowledge.search(persona, question)
        if not passages:
            before = next((m.text for m in reversed(work.memory.messages) if m.role == "user"), None)
            if before is not None:
                passages = await self.knowledge.search(persona, f"{before}\n{question}")
        return passages

    async def _generate(
        self, prompt: Prompt, persona: Persona, question: str, passages: Sequence[Passage], language: str
    ) -> None:
        guard: Guard | None = None
        if passages and persona.grounded != "off":
            guard = self.knowledge.guard(persona, question, passages)
        try:
            async with aclosing(self.engine.generate(prompt)) as generated:
                async for event in generated:
                    if isinstance(event, TextDelta):
                        await self._write(guard.write(event.text) if guard else event.text)
                    else:
                        self.draft.finished = event
            if self.draft.finished is None:
                raise EngineDied("the engine ended in the middle of its answer")
            if guard:
                await self._write(guard.finish())
                self.draft.sources = guard.sources()
        except UnsupportedClaim:
            await self._say(self.knowledge.quote(persona, question, passages, locale=language))
        if not self.draft.text.strip():
            await self._say(self.knowledge.quote(persona, question, passages, locale=language))

    async def _write(self, text: str) -> None:
        if text:
            self.draft.text += text
            await self.reply.write(text)

    async def _say(self, answer: Answer) -> None:
        """Show an answer made without the model in place of whatever was shown."""
        if self.draft.text:
            self.draft.text = answer.text
            await self.reply.replace(answer.text)
        else:
            await self._write(answer.text)
        self.draft.sources = answer.sources
