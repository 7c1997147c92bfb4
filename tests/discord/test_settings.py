"""What is missing or wrong in the settings is told in one clear line."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest

from adapters.discord import DiscordSettings, plugin
from bot.config import load
from bot.errors import ConfigError
from tests.discord.platform.world import World

TOKEN = World().token


def section(environment: dict[str, str], file: Path | None = None) -> DiscordSettings:
    settings = load(file, environment=environment).section("channels.discord", plugin)
    assert isinstance(settings, DiscordSettings)
    return settings


def test_the_environment_has_the_token_and_the_addresses() -> None:
    settings = section(
        {"DISCORD_TOKEN": TOKEN, "DISCORD_API_URL": "http://proxy/api/v10", "DISCORD_GATEWAY_URL": "ws://proxy/"}
    )
    assert settings.token.get_secret_value() == TOKEN
    assert (settings.api_url, settings.gateway_url) == ("http://proxy/api/v10", "ws://proxy/")
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({}, "set DISCORD_TOKEN"),
        ({"DISCORD_TOKEN": "hello"}, "no bot token"),
        ({"DISCORD_TOKEN": TOKEN, "DISCORD_API_URL": "discord.com"}, "no URL"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(environment: dict[str, str], word: str) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        section(environment)
    assert "\n" not in str(caught.value)
    assert "hello" not in str(caught.value)


def test_parley_yaml_has_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "parley.yaml"
    file.write_text("channels:\n  discord:\n    answers: thread\n    guilds: ['1']\n    rooms: ['2']\n    shards: 2\n")
    settings = section({"DISCORD_TOKEN": TOKEN}, file)
    assert (settings.answers, settings.guilds, settings.rooms, settings.shards) == ("thread", ("1",), ("2",), 2)


def test_the_invitation_asks_for_what_is_used_and_no_more() -> None:
    link = urlsplit(plugin.papers["invite"](section({"DISCORD_TOKEN": TOKEN})))
    query = parse_qs(link.query)
    assert query["scope"] == ["bot applications.commands"]
    assert query["client_id"][0].isdigit()
    granted = {name for name, given in discord.Permissions(int(query["permissions"][0])) if given}
    assert granted == {
        "read_messages",
        "send_messages",
        "send_messages_in_threads",
        "create_public_threads",
        "embed_links",
        "attach_files",
        "read_message_history",
    }


def test_parley_discord_invite_prints_the_link(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from bot.cli import main; main()", "discord", "invite"],
        cwd=tmp_path,
        env={**os.environ, "DISCORD_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("https://discord.com/oauth2/authorize?client_id=")
