"""Options and parts of the commands about people's data."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.config import Loaded
    from bot.plugins import Group
    from bot.types import ConversationKey, Person

PersonOption = Annotated[
    str | None, typer.Option("--person", help="An author: CHANNEL:ID, or CHANNEL:TENANT:ID for one tenant of it.")
]
ConversationOption = Annotated[
    str | None, typer.Option("--conversation", help="A conversation: CHANNEL:TENANT:ROOM[:THREAD].")
]


def whose(person: str | None, conversation: str | None) -> "Person | ConversationKey":
    """Whose data is meant. Raises BadKey, BadPerson; wrong usage where not exactly one of them is given."""
    from bot.types import ConversationKey, Person

    if person is not None and conversation is None:
        return Person.decode(person)
    if conversation is not None and person is None:
        return ConversationKey.decode(conversation)
    raise typer.BadParameter("say whose data: either --person or --conversation")


async def opened(stack: AsyncExitStack, loaded: "Loaded", group: "Group", section: str) -> Any:
    """A part of the settings, open until the stack closes. Raises StoreUnavailable, StoreInUse, UnknownPlugin."""
    from bot.errors import UnknownPlugin
    from bot.plugins import find
    from bot.ports import Plugin

    name = getattr(loaded.settings, section)["use"]
    plugin = find(group, name)
    if not isinstance(plugin, Plugin):
        raise UnknownPlugin(name, hint=f"it is no part of {group}")
    return await stack.enter_async_context(plugin.open(loaded.section(section, plugin)))
