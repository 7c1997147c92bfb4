"""What Slack sends to an app: events in their envelope, and interactions."""

import time
from typing import Any

from tests.slack.platform.ids import Ids
from tests.slack.platform.things import Channel, Json, Team, User

VERIFICATION_TOKEN = "verification-token-of-the-stand-in"


def event_callback(team: Team, event: Json, *, app_id: str, ids: Ids) -> Json:
    grid: Json = {} if team.enterprise is None else {"enterprise_id": team.enterprise}
    return grid | {
        "token": VERIFICATION_TOKEN,
        "team_id": team.id,
        "context_team_id": team.id,
        "context_enterprise_id": team.enterprise,
        "api_app_id": app_id,
        "event": event,
        "type": "event_callback",
        "event_id": ids.new("Ev"),
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": team.enterprise,
                "team_id": team.id,
                "user_id": team.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": ids.secret("context"),
    }


def message_posted(channel: Channel, message: Json) -> Json:
    named = {
        name: value for name, value in message.items() if name not in {"reply_count", "reply_users", "latest_reply"}
    }
    if "files" in named:
        named["subtype"] = "file_share"
    return named | {"channel": channel.id, "channel_type": channel.kind, "event_ts": message["ts"]}


def app_mention(channel: Channel, message: Json) -> Json:
    posted = message_posted(channel, message)
    del posted["channel_type"]
    posted.pop("subtype", None)
    return posted | {"type": "app_mention"}


def message_changed(channel: Channel, message: Json, previous: Json, *, ts: str) -> Json:
    seen = message | {"source_team": channel.team, "user_team": channel.team}
    return _about(channel, "message_changed", ts) | {"message": seen, "previous_message": previous}


def message_deleted(channel: Channel, previous: Json, *, ts: str) -> Json:
    return _about(channel, "message_deleted", ts) | {"previous_message": previous, "deleted_ts": previous["ts"]}


def app_home_opened(user: User, channel: Channel, tab: str, *, view: Json | None, agent: bool, ts: str) -> Json:
    event: Json = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab, "event_ts": ts}
    if view is not None:
        event["view"] = view
    if agent and tab == "messages":
        event["context"] = {}
    return event


def assistant_thread_started(user: User, channel: Channel, *, context: Json, ts: str, event_ts: str) -> Json:
    thread = {"user_id": user.id, "context": context, "channel_id": channel.id, "thread_ts": ts}
    return {"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": event_ts}


def agent_session_stopped(user: User, channel: Channel, thread_ts: str, *, streams: list[str], ts: str) -> Json:
    return {
        "type": "agent_session_stopped",
        "user": user.id,
        "channel": channel.id,
        "thread_ts": thread_ts,
        "streaming_message_ts": streams,
        "event_ts": ts,
    }


def interaction(kind: str, team: Team, user: User, *, app_id: str, trigger: str, **more: Any) -> Json:
    """What interactions of this kind carry, and `more`."""
    missing = {"shortcut": {"api_app_id"}, "message_action": {"api_app_id"}, "view_closed": {"trigger_id"}}
    common: Json = {
        "type": kind,
        "token": VERIFICATION_TOKEN,
        "api_app_id": app_id,
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": None if team.enterprise is None else {"id": team.enterprise, "name": team.enterprise},
        "is_enterprise_install": False,
        "user": {"id": user.id, "username": user.name.lower(), "name": user.name.lower(), "team_id": team.id},
        "trigger_id": trigger,
    }
    return {name: value for name, value in common.items() if name not in missing.get(kind, ())} | more


def slash_command(
    team: Team, user: User, channel: Channel, command: str, text: str, *, app_id: str, trigger: str, response_url: str
) -> Json:
    names = {"channel": channel.name, "group": "privategroup", "im": "directmessage", "mpim": "mpdm"}
    payload = {
        "token": VERIFICATION_TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": names[channel.kind],
        "user_id": user.id,
        "user_name": user.name.lower(),
        "command": command,
        "text": text,
        "api_app_id": app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }
    if team.enterprise is not None:
        payload |= {"enterprise_id": team.enterprise, "enterprise_name": team.enterprise}
    return payload


def _about(channel: Channel, subtype: str, ts: str) -> Json:
    named: Json = {"type": "message", "subtype": subtype, "hidden": True, "channel": channel.id}
    return named | {"channel_type": channel.kind, "ts": ts, "event_ts": ts}
