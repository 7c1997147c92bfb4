"""How Slack writes its things as JSON."""

from tests.slack.platform.things import Channel, File, Json, Message, Team, User, View

CHANNEL_FLAGS = {"channel": "is_channel", "group": "is_group", "im": "is_im", "mpim": "is_mpim"}


def user_json(user: User, *, with_locale: bool = False) -> Json:
    profile = {
        "real_name": user.name,
        "display_name": user.name,
        "real_name_normalized": user.name,
        "display_name_normalized": user.name,
        "team": user.team,
    }
    shown: Json = {
        "id": user.id,
        "team_id": user.team,
        "name": user.name.lower(),
        "real_name": user.name,
        "deleted": user.deleted,
        "tz": user.tz,
        "profile": profile,
        "is_admin": user.admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1,
    }
    return shown | {"locale": user.locale} if with_locale else shown


def channel_json(channel: Channel, *, bot_user: str) -> Json:
    flags = {flag: channel.kind == kind for kind, flag in CHANNEL_FLAGS.items()}
    shown: Json = {"id": channel.id, "created": 1, "is_archived": channel.archived, "context_team_id": channel.team}
    shown |= flags | {"is_private": channel.kind != "channel", "is_shared": False, "is_ext_shared": False}
    if channel.kind == "im":
        return shown | {"user": next(member for member in channel.members if member != bot_user), "is_open": True}
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": bot_user in channel.members,
        "is_general": channel.name == "general",
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def file_json(file: File, *, base_url: str) -> Json:
    private = f"{base_url}/files-pri/{file.team}-{file.id}"
    return {
        "id": file.id,
        "created": 1,
        "timestamp": 1,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": "text/plain" if file.filetype in {"text", "markdown", "csv"} else "application/octet-stream",
        "filetype": file.filetype,
        "user": file.user,
        "user_team": file.team,
        "size": file.length,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "file_access": "visible",
        "url_private": f"{private}/{file.name}",
        "url_private_download": f"{private}/download/{file.name}",
        "channels": list(file.channels),
    }


def message_json(
    message: Message,
    *,
    app_id: str,
    files: list[Json],
    replies: list[Message] | None = None,
    parent_user: str | None = None,
    with_metadata: bool = False,
) -> Json:
    """With `replies`, the root of a thread carries its counts."""
    shown: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    shown |= {"team": message.team, "blocks": message.blocks}
    optional: Json = {
        "subtype": message.subtype,
        "client_msg_id": message.client_msg_id,
        "thread_ts": message.thread_ts,
        "parent_user_id": parent_user,
        "attachments": message.attachments,
        "files": files,
        "streaming_state": _streaming_state(message),
    }
    if message.bot_id is not None:
        optional |= {
            "bot_id": message.bot_id,
            "app_id": app_id,
            "bot_profile": {
                "id": message.bot_id,
                "app_id": app_id,
                "user_id": message.user,
                "name": "app",
                "team_id": message.team,
                "icons": {},
                "deleted": False,
                "updated": 1,
            },
        }
    if message.edited_ts is not None:
        optional["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
    if message.reactions:
        optional["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if with_metadata:
        optional["metadata"] = message.metadata
    if replies:
        optional |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": sorted({reply.user for reply in replies}),
            "latest_reply": replies[-1].ts,
        }
    return shown | {name: value for name, value in optional.items() if value}


def _streaming_state(message: Message) -> str | None:
    if message.streaming is None:
        return None
    return "in_progress" if message.streaming == "in_progress" else "completed"


def view_json(view: View, *, team: Team, app_id: str) -> Json:
    empty: Json = {"private_metadata": "", "callback_id": "", "external_id": "", "close": None, "submit": None}
    fixed: Json = {
        "id": view.id,
        "team_id": view.team,
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
        "app_id": app_id,
        "app_installed_team_id": view.team,
        "bot_id": team.bot_id,
        "clear_on_close": False,
        "notify_on_close": False,
        "state": {"values": {}},
    }
    return empty | fixed | view.content
