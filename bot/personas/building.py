"""A validated file → the persona that answers."""

from pathlib import Path

from bot import notices
from bot.personas.paths import inside
from bot.personas.schema import PersonaFile
from bot.types import Check, Example, KnowledgeSource, LocalText, Persona, Sampling, ScheduledPrompt, Starter

TextsValue = str | dict[str, str]


def build_persona(file: PersonaFile, *, version: str, folder: Path) -> Persona:
    """The persona of `file`, whose paths are seen from `folder` and exist there."""
    default = file.languages[0]

    def texts(value: TextsValue) -> LocalText:
        """The first language of the persona comes first, whatever the order in the file."""
        if isinstance(value, str):
            return LocalText({default: value})
        return LocalText(dict(sorted(value.items(), key=lambda item: item[0].lower() != default.lower())))

    def some(value: TextsValue | None) -> LocalText | None:
        return None if value is None else texts(value)

    return Persona(
        name=file.name,
        version=version,
        title=texts(file.title or file.name),
        description=file.description,
        languages=file.languages,
        instructions=texts(file.instructions),
        style=file.style,
        greeting=some(file.greeting),
        starters=tuple(Starter(label=texts(s.label), prompt=texts(s.prompt)) for s in file.starters),
        examples=tuple(Example(user=e.user, assistant=e.assistant) for e in file.examples),
        sampling=Sampling(
            max_tokens=file.model.max_tokens,
            temperature=file.model.temperature,
            top_p=file.model.top_p,
            top_k=file.model.top_k,
            repetition_penalty=file.model.repetition_penalty,
            stop=file.model.stop,
            seed=file.model.seed,
        ),
        adapter=file.model.adapter,
        knowledge=tuple(
            KnowledgeSource(path=path, label=k.source, top_k=k.top_k, min_score=k.min_score)
            for k in file.knowledge
            if isinstance(path := inside(folder, k.source), Path)
        ),
        grounded=file.answering.grounded,
        cite=file.answering.cite,
        when_unsure=some(file.answering.when_unsure),
        history_tokens=file.memory.history_tokens,
        remember=file.memory.remember,
        keep_days=file.memory.keep_days,
        rating_notice=notices.MAY_TRAIN if file.memory.train_on_rated else None,
        overlap=file.overlap,
        edits=file.edits,
        schedule=tuple(
            ScheduledPrompt(cron=t.cron, prompt=t.prompt, to=t.to, timezone=t.timezone) for t in file.schedule
        ),
        policy=file.guardrails.policy,
        accent=file.widget.accent,
        avatar=file.widget.avatar,
        disclaimer=some(file.widget.disclaimer),
        checks=tuple(
            Check(user=c.user, contains=c.expect.contains, cites=c.expect.cites, max_words=c.expect.max_words)
            for c in file.checks
        ),
    )
