"""The app's manifest, to be pasted into Slack: https://docs.slack.dev/reference/app-manifest."""

import json
from typing import Any

from adapters.slack.settings import SlackSettings

COMMAND = "/parley"
BOT_SCOPES = (
    *("app_mentions:read", "assistant:write", "channels:history", "chat:write", "commands", "files:read"),
    *("files:write", "groups:history", "im:history", "im:read", "im:write", "mpim:history", "users:read"),
)
EVENTS = (
    *("agent_session_stopped", "app_home_opened", "app_mention", "app_uninstalled", "assistant_thread_started"),
    *("message.channels", "message.groups", "message.im", "message.mpim", "tokens_revoked"),
)


def manifest(settings: SlackSettings) -> str:
    """JSON for "Create an app from a manifest". Socket Mode unless a signing secret and no app token are set."""
    socket = settings.app_token is not None or settings.signing_secret is None
    url = "https://YOUR-HOST/slack/events"
    where = {} if socket else {"request_url": url}
    command = {"command": COMMAND, "description": "Choose a persona, stop, forget, help", "usage_hint": "help"}
    app: dict[str, Any] = {
        "display_information": {"name": "Parley", "description": "Talk to a GPT that you run yourself"},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Parley", "always_online": True},
            "agent_view": {"agent_description": "Answers with the personas of your Parley"},
            "slash_commands": [command | ({} if socket else {"url": url})],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **where},
            "interactivity": {"is_enabled": True, **where},
            "org_deploy_enabled": settings.is_shared,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": settings.is_shared,
        },
    }
    if settings.is_shared:
        app["oauth_config"]["redirect_urls"] = ["https://YOUR-HOST/slack/oauth_redirect"]
    return json.dumps(app, indent=2)
