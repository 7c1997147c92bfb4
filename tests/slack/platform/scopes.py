"""Which bot scope each method and event needs, so that a test can try the app's own manifest."""

from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json

METHODS = {
    "chat.postMessage": "chat:write", "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write", "chat.delete": "chat:write",
    "chat.startStream": "chat:write", "chat.appendStream": "chat:write", "chat.stopStream": "chat:write",
    "agents.sessions.setStatus": "chat:write", "agents.sessions.rename": "chat:write",
    "assistant.threads.setStatus": "chat:write",
    "assistant.threads.setTitle": "assistant:write", "assistant.threads.setSuggestedPrompts": "assistant:write",
    "users.info": "users:read", "users.list": "users:read", "bots.info": "users:read", "team.info": "team:read",
    "files.getUploadURLExternal": "files:write", "files.completeUploadExternal": "files:write",
    "files.info": "files:read",
    "reactions.add": "reactions:write", "reactions.remove": "reactions:write",
    "conversations.open": "im:write",
}  # fmt: skip
BY_CHANNEL = {
    "conversations.history": "history",
    "conversations.replies": "history",
    "conversations.info": "read",
    "conversations.members": "read",
}
CUSTOMISING = {"username", "icon_emoji", "icon_url"}
FAMILIES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
EVENTS = {
    "app_mention": "app_mentions:read",
    "assistant_thread_started": "assistant:write",
    "reaction_added": "reactions:read",
}


def check_scope(granted: frozenset[str] | None, method: str, args: Json, *, channel_kind: str | None) -> None:
    """`granted` None grants everything. Raises `missing_scope` with what is needed and what is there."""
    needed = [METHODS[method]] if method in METHODS else []
    if method in BY_CHANNEL and channel_kind is not None:
        needed.append(f"{FAMILIES[channel_kind]}:{BY_CHANNEL[method]}")
    if method.startswith("chat.") and CUSTOMISING & args.keys():
        needed.append("chat:write.customize")
    missing = [scope for scope in needed if granted is not None and scope not in granted]
    if missing:
        raise SlackError("missing_scope", needed=",".join(missing), provided=",".join(sorted(granted or ())))


def subscription(event: Json) -> str:
    """The name to subscribe to: `message.im` for a message in a DM."""
    if event["type"] != "message":
        return str(event["type"])
    kind = event["channel_type"]
    return f"message.{kind if kind in {'im', 'mpim'} else kind + 's'}"


def is_sent(event: Json, *, scopes: frozenset[str] | None, subscribed: frozenset[str] | None) -> bool:
    """Whether the app hears of this event, by its subscriptions and its scopes."""
    if subscribed is not None and subscription(event) not in subscribed:
        return False
    needed = EVENTS.get(event["type"])
    if event["type"] == "message":
        needed = f"{FAMILIES[event['channel_type']]}:history"
    return scopes is None or needed is None or needed in scopes
