"""conversations.history, .replies, .info, .open, .members."""

import base64
from collections.abc import Callable

from tests.slack.platform.ask import Ask
from tests.slack.platform.errors import SlackError
from tests.slack.platform.limits import THROTTLED_OBJECTS
from tests.slack.platform.shapes import channel_json
from tests.slack.platform.things import Channel, Json, Message


def history(ask: Ask) -> Json:
    """Newest first, without the replies of threads."""
    channel = _member_channel(ask)
    top = [message for message in channel.messages.values() if not message.is_reply or message.broadcast]
    found = [message for message in reversed(top) if _in_window(ask)(message)]
    return _page(ask, found)


def replies(ask: Ask) -> Json:
    """The root, then its replies, oldest first; the root comes whatever the window."""
    channel = _member_channel(ask)
    wanted = channel.messages.get(ask.need("ts"))
    root = channel.messages.get(wanted.thread_ts or wanted.ts) if wanted is not None else None
    if root is None:
        raise SlackError("thread_not_found")
    inside = _in_window(ask)
    return _page(ask, [message for message in channel.thread(root.ts) if message is root or inside(message)])


def info(ask: Ask) -> Json:
    channel = ask.channel()
    shown = channel_json(channel, bot_user=ask.workspace.team_of(channel).bot_user)
    if ask.flag("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


def open_(ask: Ask) -> Json:
    if ask.text("channel"):
        channel = ask.channel()
    else:
        wanted = [user for user in (ask.text("users") or "").split(",") if user]
        if not wanted:
            raise SlackError("users_list_not_supplied")
        people = [ask.workspace.users.get(user) for user in wanted]
        if len(people) != 1:
            raise SlackError("not_enough_users" if not people else "method_not_supported_for_channel_type")
        person = people[0]
        if person is None:
            raise SlackError("user_not_found")
        if person.deleted:
            raise SlackError("user_disabled")
        channel = ask.workspace.direct(ask.team, person)
    return {"channel": {"id": channel.id}}


def members(ask: Ask) -> Json:
    channel = ask.channel()
    start, limit = _cursor(ask), min(ask.number("limit", 100), 1000)
    following = start + limit < len(channel.members)
    return {"members": channel.members[start : start + limit]} | _next(start + limit if following else None)


def _member_channel(ask: Ask) -> Channel:
    channel = ask.channel()
    if ask.workspace.team_of(channel).bot_user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _in_window(ask: Ask) -> Callable[[Message], bool]:
    oldest, latest, inclusive = ask.text("oldest"), ask.text("latest"), bool(ask.flag("inclusive"))
    bounds: dict[str, float] = {}
    for name, given in (("oldest", oldest), ("latest", latest)):
        try:
            bounds[name] = float(given) if given and given != "now" else (0.0 if name == "oldest" else float("inf"))
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None

    def inside(message: Message) -> bool:
        at = float(message.ts)
        if inclusive and message.ts in {oldest, latest}:
            return True
        return bounds["oldest"] < at < bounds["latest"]

    return inside


def _page(ask: Ask, found: list[Message]) -> Json:
    most = THROTTLED_OBJECTS if ask.workspace.settings.throttle_history else 1000
    start, limit = _cursor(ask), min(ask.number("limit", 100), most)
    shown = [
        ask.workspace.shown(message, with_metadata=bool(ask.flag("include_all_metadata")))
        for message in found[start : start + limit]
    ]
    more = start + limit < len(found)
    return {"messages": shown, "has_more": more} | _next(start + limit if more else None)


def _cursor(ask: Ask) -> int:
    cursor = ask.text("cursor")
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise SlackError("invalid_cursor") from None


def _next(start: int | None) -> Json:
    cursor = "" if start is None else base64.b64encode(f"next:{start}".encode()).decode()
    return {"response_metadata": {"next_cursor": cursor}}


METHODS = {
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.info": info,
    "conversations.open": open_,
    "conversations.members": members,
}
