"""auth.test, users.info, users.list, team.info, bots.info."""

from tests.slack.platform.ask import Ask
from tests.slack.platform.errors import SlackError
from tests.slack.platform.shapes import user_json
from tests.slack.platform.things import Json


def auth_test(ask: Ask) -> Json:
    team = ask.team
    return {
        "url": f"https://{team.domain}.slack.example/",
        "team": team.name,
        "user": ask.workspace.users[team.bot_user].name.lower(),
        "team_id": team.id,
        "user_id": team.bot_user,
        "bot_id": team.bot_id,
        "enterprise_id": team.enterprise,
        "is_enterprise_install": bool(ask.token and ask.token.org_wide),
    }


def user_info(ask: Ask) -> Json:
    return {"user": user_json(ask.user(), with_locale=bool(ask.flag("include_locale")))}


def user_list(ask: Ask) -> Json:
    people = [user for user in ask.workspace.users.values() if user.team == ask.team.id]
    shown = [user_json(user, with_locale=bool(ask.flag("include_locale"))) for user in people]
    return {"members": shown, "cache_ts": 1, "response_metadata": {"next_cursor": ""}}


def bot_info(ask: Ask) -> Json:
    wanted = ask.need("bot")
    for user in ask.workspace.users.values():
        if user.bot_id == wanted:
            app_id = ask.workspace.app_of(wanted, ask.team)
            return {"bot": {"id": wanted, "name": user.name, "app_id": app_id, "user_id": user.id, "deleted": False}}
    raise SlackError("bot_not_found")


def team_info(ask: Ask) -> Json:
    team = ask.team
    shown: Json = {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": {}}
    return {"team": shown | ({"enterprise_id": team.enterprise} if team.enterprise else {})}


METHODS = {
    "auth.test": auth_test,
    "users.info": user_info,
    "users.list": user_list,
    "bots.info": bot_info,
    "team.info": team_info,
}
