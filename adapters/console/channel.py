"""The terminal as a channel: one person, one conversation at a time."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from adapters.console.inbound import COMMANDS, Command, new_conversation, parse, to_inbound
from adapters.console.keyboard import Keyboard
from adapters.console.reply import ConsoleReply, Screen
from adapters.console.settings import ConsoleSettings
from bot.errors import Interrupted, ParleyError, UnknownPersona
from bot.ports import Core
from bot.types import Delivery, Turn, TurnState

HELP = """\
/new             start a new conversation
/persona NAME    talk to another persona; without a name, list them
/stop            stop the reply that is being written (or Ctrl-C)
/help            this list
Ctrl-D           leave"""


class ConsoleChannel:
    name = "console"

    def __init__(self, settings: ConsoleSettings, core: Core, *, screen: Screen, keyboard: Keyboard) -> None:
        self._settings = settings
        self._core = core
        self._screen = screen
        self._keyboard = keyboard
        self._persona = core.personas.get(settings.persona)
        self._conversation = new_conversation()
        self._replies: dict[str, ConsoleReply] = {}
        self._delivered: dict[str, asyncio.Future[Delivery]] = {}

    async def listen(self) -> None:
        """Ask the one question, or chat until the end of input. A failed answer to the one question is an error."""
        if self._settings.question is not None:
            delivery = await self._ask(self._settings.question)
            if delivery.state is TurnState.STOPPED:
                raise Interrupted
            if delivery.state is TurnState.FAILED:
                raise ParleyError("there is no complete answer; see the text above")
            return
        self._welcome()
        async for line in self._keyboard.lines():
            entry = parse(line)
            if isinstance(entry, Command):
                await self._obey(entry)
            elif entry:
                await self._ask(entry)

    @asynccontextmanager
    async def reply(self, turn: Turn) -> AsyncIterator[ConsoleReply]:
        reply = ConsoleReply(self._screen)
        earlier = self._replies.get(turn.id)
        if earlier is not None and earlier.shown:
            self._screen.note("\n— trying again —")
        self._replies[turn.id] = reply
        yield reply

    async def deliver(self, delivery: Delivery) -> None:
        waiting = self._delivered.get(delivery.turn)
        if waiting is None or waiting.done():
            return
        reply = self._replies.get(delivery.turn) or ConsoleReply(self._screen)
        reply.finish(delivery.message.text)
        if self._screen.streams:
            for source in delivery.message.sources:
                self._screen.note(f"  {source.title} ({source.path})")
            if delivery.state is TurnState.STOPPED:
                self._screen.note("(stopped)")
        waiting.set_result(delivery)

    async def _ask(self, text: str) -> Delivery:
        await self._core.store.conversations.open(
            self._conversation, persona=self._persona.name, locale=self._settings.locale
        )
        inbound = to_inbound(
            text, conversation=self._conversation, user=self._settings.user, locale=self._settings.locale
        )
        accepted = await self._core.inbox.accept(inbound)
        if accepted is None:
            raise ParleyError("the message was not taken")
        waiting: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._delivered[accepted.turn] = waiting
        try:
            with self._stopping(accepted.turn):
                return await waiting
        finally:
            del self._delivered[accepted.turn]
            self._replies.pop(accepted.turn, None)

    @contextmanager
    def _stopping(self, turn: str) -> Iterator[None]:
        """While a reply is written, Ctrl-C and a typed /stop stop it."""
        loop = asyncio.get_running_loop()
        asked: set[asyncio.Task[Turn | None]] = set()

        def stop() -> None:
            asked.add(asyncio.ensure_future(self._core.inbox.stop(turn)))

        def hear(line: str) -> bool:
            if parse(line) != Command("/stop", ""):
                return False
            stop()
            return True

        loop.add_signal_handler(signal.SIGINT, stop)
        try:
            with self._keyboard.during_reply(hear):
                yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _obey(self, command: Command) -> None:
        match command.name:
            case "/help":
                self._screen.note(HELP)
            case "/new":
                self._conversation = new_conversation()
                self._welcome()
            case "/persona" if command.argument:
                try:
                    self._persona = self._core.personas.get(command.argument)
                except UnknownPersona as error:
                    self._screen.note(str(error))
                    return
                self._conversation = new_conversation()
                self._welcome()
            case "/persona":
                for persona in self._core.personas.all():
                    self._screen.note(f"{persona.name:16}{persona.description}")
            case "/stop":
                self._screen.note("no reply is being written")
            case _:
                self._screen.note(f"{command.name} is no command; there are {' '.join(COMMANDS)}")

    def _welcome(self) -> None:
        locale = self._settings.locale
        self._screen.note(f"{self._persona.title.pick(locale)} · /help lists the commands, Ctrl-D leaves")
        if self._persona.greeting is not None:
            self._screen.write(self._persona.greeting.pick(locale) + "\n")
        if self._persona.disclaimer is not None:
            self._screen.note(self._persona.disclaimer.pick(locale))
