"""The Web API methods that the stand-in knows, by name."""

from collections.abc import Callable

from tests.slack.platform.ask import Ask
from tests.slack.platform.methods import agents, apps, chat, conversations, files, people, reactions, streams, views
from tests.slack.platform.things import Json

Method = Callable[[Ask], Json]

METHODS: dict[str, Method] = {
    **agents.METHODS,
    **apps.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **people.METHODS,
    **reactions.METHODS,
    **streams.METHODS,
    **views.METHODS,
}
