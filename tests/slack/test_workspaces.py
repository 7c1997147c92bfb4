"""Installations: sealed at rest, rotated in time, of one workspace or of a whole organisation."""

import time

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from slack_sdk.oauth.installation_store import Installation

from adapters.slack.calls import asking_client, made
from adapters.slack.installations import Installations, Seal, States
from adapters.slack.settings import SlackSettings
from adapters.slack.workspaces import Workspaces
from bot.errors import ChannelGone, ConfigError
from storage.sql import SqlStore
from tests.slack.platform import Settings, SlackPlatform, Team

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # the SDK's own doing
KEY = Fernet.generate_key().decode()


def settings_of(slack: SlackPlatform) -> SlackSettings:
    tokens = slack.workspace.tokens
    return SlackSettings(
        api_url=slack.api_url,
        client_id=tokens.client_id,
        client_secret=SecretStr(tokens.client_secret),
        encryption_key=SecretStr(KEY),
        app_token=SecretStr(slack.app_token),
    )


async def install(slack: SlackPlatform, team: Team, kept: Installations, *, org_wide: bool = False) -> str:
    """The token that Slack gave out."""
    tokens = slack.workspace.tokens
    given = await asking_client(None, slack.api_url).oauth_v2_access(
        client_id=tokens.client_id, client_secret=tokens.client_secret, code=tokens.code(team.id, org_wide=org_wide)
    )
    expires = given.get("expires_in")
    await kept.async_save(
        Installation(
            user_id="U1",
            team_id=None if org_wide else team.id,
            enterprise_id=team.enterprise,
            is_enterprise_install=org_wide,
            bot_token=given["access_token"],
            bot_id=team.bot_id,
            bot_user_id=team.bot_user,
            bot_refresh_token=given.get("refresh_token"),
            bot_token_expires_at=None if expires is None else int(time.time()) + int(expires),
        )
    )
    return str(given["access_token"])


async def test_a_workspace_is_called_with_its_own_token_until_it_uninstalls(
    slack: SlackPlatform, store: SqlStore
) -> None:
    other = slack.team("Other")
    kept = Installations(store.vault, Seal(KEY))
    workspaces = Workspaces(settings_of(slack), kept)
    with pytest.raises(ChannelGone):
        await workspaces.get(other.id)
    token = await install(slack, other, kept)
    found = await workspaces.get(other.id)
    assert (found.token, found.bot_user) == (token, other.bot_user)
    await workspaces.forget(other.id, enterprise=None)
    with pytest.raises(ChannelGone):
        await workspaces.get(other.id)


async def test_a_token_that_is_about_to_expire_is_rotated_and_kept(store: SqlStore) -> None:
    async with SlackPlatform(Settings(token_seconds=3_600)) as slack:
        other = slack.team("Other")
        kept = Installations(store.vault, Seal(KEY))
        first = await install(slack, other, kept)
        found = await Workspaces(settings_of(slack), kept).get(other.id)
        assert found.token != first
        assert (await made("auth.test", found.ask.auth_test()))["team_id"] == other.id
        stored = await kept.async_find_bot(enterprise_id=None, team_id=other.id)
        assert stored is not None
        assert stored.bot_token == found.token


async def test_an_organisation_installs_once_for_all_its_workspaces(slack: SlackPlatform, store: SqlStore) -> None:
    one = slack.team("One", enterprise="E1")
    kept = Installations(store.vault, Seal(KEY))
    token = await install(slack, one, kept, org_wide=True)
    workspaces = Workspaces(settings_of(slack), kept)
    assert (await workspaces.get(one.id, enterprise="E1")).token == token
    afterwards = Workspaces(settings_of(slack), kept)  # a reply knows the workspace alone
    assert (await afterwards.get(one.id)).token == token


async def test_tokens_are_sealed_and_only_their_key_opens_them(slack: SlackPlatform, store: SqlStore) -> None:
    other = slack.team("Other")
    token = await install(slack, other, Installations(store.vault, Seal(KEY)))
    for name in await store.vault.names("slack:"):
        assert token not in str(await store.vault.get(name))
    stranger = Installations(store.vault, Seal(Fernet.generate_key().decode()))
    with pytest.raises(ConfigError, match="SLACK_ENCRYPTION_KEY"):
        await stranger.async_find_bot(enterprise_id=None, team_id=other.id)
    with pytest.raises(ConfigError, match="Fernet"):
        Seal("too short")


async def test_a_state_is_good_once_and_for_a_while(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    states = States(store.vault)
    state = await states.async_issue()
    assert await states.async_consume(state)
    assert not await states.async_consume(state)
    assert not await states.async_consume("never issued")
    late = await states.async_issue()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 700)
    assert not await states.async_consume(late)
