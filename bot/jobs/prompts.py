"""The prompts of personas at fixed times: each is taken in like a message of the place where its answer goes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.cron import Cron, local_zone
from bot.errors import ConfigError
from bot.jobs.job import Job
from bot.ports import Bus, Store
from bot.types import Author, ConversationKey, Inbound, Persona


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One `schedule` entry. Its name holds no word of the prompt: who edits that makes no other job of it."""

    name: str
    cron: Cron
    persona: str
    author: str
    text: str
    to: ConversationKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Posts into the store, where any replica answers."""

    store: Store
    bus: Bus
    now: Callable[[], datetime]

    def job(self, post: Post) -> Job:
        async def work(fire: str) -> None:
            await self._post(post, fire)

        return Job(name=post.name, cron=post.cron, work=work)

    async def _post(self, post: Post, fire: str) -> None:
        conversation = await self.store.conversations.open(post.to, persona=post.persona)
        if conversation.persona != post.persona:
            raise ConfigError(
                f"{post.to.encode()!r} talks to the persona {conversation.persona!r}; choose another place"
            )
        inbound = Inbound(
            event_id=f"{post.name} {fire}",
            conversation=post.to,
            author=Author(id="schedule", name=post.author),
            text=post.text,
            received_at=self.now(),
            locale=conversation.locale,
        )
        await self.store.intake.accept(inbound, persona=post.persona)
        await self.bus.publish("wake", post.to.encode())


def posts(personas: Iterable[Persona], zone: tzinfo) -> Iterator[Post]:
    """What the personas have planned; `zone` is of those that name none."""
    for persona in personas:
        seen: Counter[str] = Counter()
        for entry in persona.schedule:
            cron = Cron(entry.cron, zone if entry.timezone is None else local_zone(entry.timezone))
            name = " ".join(filter(None, (f"{persona.name}:", cron.text, entry.timezone, "→", entry.to)))
            seen[name] += 1
            yield Post(
                name=name if seen[name] == 1 else f"{name} ({seen[name]})",
                cron=cron,
                persona=persona.name,
                author=persona.title.pick(None),
                text=entry.prompt,
                to=_place(entry.to),
            )


def _place(text: str) -> ConversationKey:
    """`channel:room`, or a conversation's key."""
    channel, _, room = text.partition(":")
    return ConversationKey.decode(text if ":" in room else f"{channel}:default:{room}")
