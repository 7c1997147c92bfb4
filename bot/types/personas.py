"""Who answers, and from what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.types.conversations import Source
from bot.types.generation import Sampling
from bot.types.turns import Overlap


@dataclass(frozen=True, slots=True)
class LocalText:
    """Visible text in one or more languages; the first is the default. Keys are BCP 47 tags."""

    texts: Mapping[str, str]

    def pick(self, locale: str | None) -> str:
        """The text for `locale`: exact tag, then the same primary language, then the default."""
        if locale:
            wanted = locale.lower().replace("_", "-")
            for tag, text in self.texts.items():
                if tag.lower() == wanted:
                    return text
            for tag, text in self.texts.items():
                if tag.lower().split("-")[0] == wanted.split("-")[0]:
                    return text
        return next(iter(self.texts.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    label: LocalText
    prompt: LocalText


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    user: str
    assistant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSource:
    """A folder or file of documents; `label` is the path as the persona's author wrote it."""

    path: Path
    label: str
    top_k: int = 4
    min_score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPrompt:
    """A prompt whose answer is posted at fixed times: `cron` has five fields, `to` is `channel:room` or
    `channel:tenant:room`, `timezone` an IANA name (None: the setting's)."""

    cron: str
    prompt: str
    to: str
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question, and what its answer shall have: all these texts, a citation of this document, at most so many
    words."""

    user: str
    contains: tuple[str, ...] = ()
    cites: str | None = None
    max_words: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A persona ready to answer. `version` is the hash of its file; a turn keeps the one it began with.

    `rating_notice` is what people are told where they rate: that what they rate as good may train the model. Without
    it, nothing of theirs may.
    """

    name: str
    version: str
    title: LocalText
    description: str
    languages: tuple[str, ...]
    instructions: LocalText
    style: tuple[str, ...] = ()
    greeting: LocalText | None = None
    starters: tuple[Starter, ...] = ()
    examples: tuple[Example, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    adapter: str | None = None
    knowledge: tuple[KnowledgeSource, ...] = ()
    grounded: Literal["off", "prefer", "require"] = "off"
    cite: bool = True
    when_unsure: LocalText | None = None
    history_tokens: int = 3000
    remember: tuple[str, ...] = ()
    keep_days: int | None = None
    rating_notice: LocalText | None = None
    overlap: Overlap = "queue"
    edits: Literal["ignore", "answer"] = "ignore"
    schedule: tuple[ScheduledPrompt, ...] = ()
    policy: str | None = None
    accent: str | None = None
    avatar: str | None = None
    disclaimer: LocalText | None = None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A retrieved piece of a document.

    `heading` is the path of headings above it, outermost first; `path` the document's path below its source,
    prefixed with the source's label; `answer` the text to quote whole where the document is a list of
    questions and answers. `score` grows with relevance; at least `min_score` of its source.
    """

    id: str
    text: str
    path: str
    heading: tuple[str, ...] = ()
    answer: str | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply made without the model: a quotation from a passage, or the persona's `when_unsure`."""

    text: str
    sources: tuple[Source, ...] = ()
