"""apps.connections.open, oauth.v2.access, auth.revoke: the app's own doors."""

from tests.slack.platform.ask import Ask
from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json

SCOPES = "app_mentions:read,assistant:write,channels:history,chat:write,commands,files:read,files:write,im:history"


def open_connection(ask: Ask) -> Json:
    if ask.token is None or ask.token.kind != "app":
        raise SlackError("not_allowed_token_type")
    ticket = ask.workspace.ids.secret("ticket")
    ask.workspace.tickets.add(ticket)
    address = ask.workspace.base_url.replace("http://", "ws://")
    return {"url": f"{address}/link/?ticket={ticket}&app_id={ask.workspace.app_id}"}


def oauth_access(ask: Ask) -> Json:
    """Trades a code, or a refresh token, for a bot token."""
    tokens = ask.workspace.tokens
    if ask.text("client_id") != tokens.client_id:
        raise SlackError("invalid_client_id")
    if ask.text("client_secret") != tokens.client_secret:
        raise SlackError("bad_client_secret")
    grant = ask.text("grant_type") or "authorization_code"
    if grant not in {"authorization_code", "refresh_token"}:
        raise SlackError("invalid_grant_type")
    refreshing = grant == "refresh_token"
    team_id, org_wide = (
        tokens.take_refresh_token(ask.text("refresh_token")) if refreshing else tokens.take_code(ask.text("code"))
    )
    team = ask.workspace.teams[team_id]
    issued = tokens.issue("bot", team_id, org_wide=org_wide)
    shown: Json = {
        "access_token": issued.value,
        "token_type": "bot",
        "scope": SCOPES,
        "bot_user_id": team.bot_user,
        "app_id": ask.workspace.app_id,
        "team": None if org_wide else {"id": team.id, "name": team.name},
        "enterprise": None if team.enterprise is None else {"id": team.enterprise, "name": team.enterprise},
        "is_enterprise_install": org_wide,
        "authed_user": {"id": next(user.id for user in ask.workspace.users.values() if user.team == team_id)},
    }
    if ask.workspace.settings.token_seconds is not None:
        shown["refresh_token"] = tokens.refresh_token(team_id, org_wide=org_wide)
        shown["expires_in"] = max(1, round(ask.workspace.settings.token_seconds))
    return shown


def revoke(ask: Ask) -> Json:
    if ask.token is not None:
        ask.workspace.tokens.deactivate(ask.token.value, error="token_revoked")
    return {"revoked": True}


METHODS = {"apps.connections.open": open_connection, "oauth.v2.access": oauth_access, "auth.revoke": revoke}
WITHOUT_TOKEN = {"oauth.v2.access"}
