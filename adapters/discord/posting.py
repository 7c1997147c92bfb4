"""Puts the pieces of one reply into messages and keeps them there: posted once, edited after."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import discord

from adapters.discord.buttons import turn_in
from adapters.discord.failures import told
from adapters.discord.rest import Rest
from adapters.discord.shown import Shown
from adapters.discord.uses import Use

NONE = discord.AllowedMentions.none()
UNKNOWN_MESSAGE = 10008
NONCE_LIFE = timedelta(minutes=2)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def born(turn: str) -> datetime:
    """When a turn came to be: its id begins with the millisecond. An id of another form: two days ago."""
    number = 0
    for character in turn[:10]:
        if len(turn) != 20 or character not in _ALPHABET:
            return datetime.now(UTC) - timedelta(days=2)
        number = number * 32 + _ALPHABET.index(character)
    return datetime.fromtimestamp(number / 1000, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A message of a reply as it shall be."""

    text: str
    view: discord.ui.View | None = None
    embeds: tuple[discord.Embed, ...] = ()


@dataclass(slots=True, kw_only=True)
class Posting:
    """The messages of one turn's reply. `note` keeps where it is shown; `unsure`: earlier ones may have been posted
    that nobody noted, so the nonce is relied on, and after its time the history is read first."""

    rest: Rest
    turn: str
    room: int
    question: int | None
    use: Use | None
    shown: Shown
    unsure: bool
    note: Callable[[str], Awaitable[None]]
    _pages: dict[int, str] = field(default_factory=dict)
    _known: list[discord.Message] | None = None

    async def show(self, pages: Sequence[Page], *, settle: bool = False) -> None:
        """Make the reply these pages. `settle` rewrites all buttons and takes away what is left over.

        Raises ChannelBusy, ChannelGone, ChannelError.
        """
        with told("a reply"):
            for number, page in enumerate(pages):
                if number >= len(self.shown.messages):
                    await self._post(number, page)
                elif settle or self._pages.get(number) != page.text:
                    await self._edit(number, page)
            if len(pages) < len(self.shown.messages):
                await self._drop(len(pages))

    async def _post(self, number: int, page: Page) -> None:
        if number == 0 and self.use is not None and self.use.is_alive:
            self.shown = Shown(messages=(self.use.message,), use=self.use.id)
            await self._edit(0, page)
            await self.note(self.shown.encode())
            return
        if self.use is not None and self.use.outside and self.use.is_alive:
            made = await self.rest.webhook(self.use.token).send(
                page.text, view=page.view or discord.utils.MISSING, embeds=page.embeds, allowed_mentions=NONE, wait=True
            )
            await self._keep(made.id)
        else:
            found = await self._posted_before(number, page)
            if found is None:
                found = await self._send(number, page)
            await self._keep(found.id)
            if found.content != page.text or self.unsure:
                await self._edit(number, page)
                return
        self._pages[number] = page.text

    async def _send(self, number: int, page: Page) -> discord.Message:
        room = self.rest.room(self.room)
        reference = discord.utils.MISSING
        if number == 0 and self.question is not None:
            reference = discord.MessageReference(
                message_id=self.question, channel_id=self.room, fail_if_not_exists=False
            )
        return await room.send(
            page.text,
            nonce=self.turn if number == 0 else f"{self.turn}{number:02}",
            view=page.view or discord.utils.MISSING,
            embeds=page.embeds,
            allowed_mentions=NONE,
            **({} if reference is discord.utils.MISSING else {"reference": reference}),
        )

    async def _keep(self, message: int) -> None:
        self.shown = replace(self.shown, messages=(*self.shown.messages, message))
        await self.note(self.shown.encode())

    async def _edit(self, number: int, page: Page) -> None:
        message = self.shown.messages[number]
        try:
            if (number == 0 and self.shown.use is not None) or (self.use is not None and self.use.outside):
                if self.use is None or not self.use.is_alive:
                    await self._move()
                    await self._post(0, page)
                    return
                await self.rest.webhook(self.use.token).edit_message(
                    message, content=page.text, view=page.view, embeds=page.embeds, allowed_mentions=NONE
                )
            else:
                partial = self.rest.room(self.room).get_partial_message(message)
                await partial.edit(content=page.text, view=page.view, embeds=page.embeds, allowed_mentions=NONE)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            self.shown = replace(self.shown, messages=self.shown.messages[:number])
            await self._post(number, page)
            return
        self._pages[number] = page.text

    async def _move(self) -> None:
        """The interaction's time is over: the reply goes on in messages of its own."""
        self.use = None
        self.shown = Shown()
        self._pages.clear()

    async def _drop(self, first: int) -> None:
        for message in self.shown.messages[max(first, 1) :]:
            try:
                await self.rest.room(self.room).get_partial_message(message).delete()
            except discord.NotFound:
                continue
        self.shown = replace(self.shown, messages=self.shown.messages[: max(first, 1)])
        await self.note(self.shown.encode())

    async def _posted_before(self, number: int, page: Page) -> discord.Message | None:
        """What an earlier attempt posted, where the platform may have forgotten the nonce."""
        if not self.unsure or datetime.now(UTC) - born(self.turn) < NONCE_LIFE:
            return None
        if self._known is None:
            after = discord.Object(discord.utils.time_snowflake(born(self.turn)))
            history = self.rest.room(self.room).history(after=after, limit=1000, oldest_first=True)
            self._known = [message async for message in history if message.author.id == self.rest.me]
        if number == 0:
            return next((message for message in self._known if turn_in(message) == self.turn), None)
        taken = set(self.shown.messages)
        first = self.shown.messages[0]
        later = (message for message in self._known if message.id > first and message.id not in taken)
        return next((message for message in later if message.content == page.text), None)
