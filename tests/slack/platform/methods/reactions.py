"""reactions.add and reactions.remove."""

from tests.slack.platform.ask import Ask
from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json, Message


def add(ask: Ask) -> Json:
    message, name = _item(ask)
    people = message.reactions.setdefault(name, [])
    if ask.team.bot_user in people:
        raise SlackError("already_reacted")
    people.append(ask.team.bot_user)
    return {}


def remove(ask: Ask) -> Json:
    message, name = _item(ask)
    people = message.reactions.get(name, [])
    if ask.team.bot_user not in people:
        raise SlackError("no_reaction")
    people.remove(ask.team.bot_user)
    if not people:
        del message.reactions[name]
    return {}


def _item(ask: Ask) -> tuple[Message, str]:
    if not ask.text("channel") or not ask.text("timestamp"):
        raise SlackError("no_item_specified")
    name = ask.text("name")
    if not name or ":" in name:
        raise SlackError("invalid_name")
    channel = ask.channel()
    if channel.archived:
        raise SlackError("is_archived")
    return ask.workspace.message(channel, ask.need("timestamp")), name


METHODS = {"reactions.add": add, "reactions.remove": remove}
