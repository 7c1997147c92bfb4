"""Slack: direct messages, mentions, threads and the assistant pane."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.slack.manifest import manifest
from adapters.slack.settings import SlackSettings
from bot.ports import Channel, ChannelPlugin, Core


@asynccontextmanager
async def open_slack(settings: SlackSettings, core: Core) -> AsyncIterator[Channel]:
    from adapters.slack import channel  # noqa: PLC0415 - the manifest and the settings need no SDK

    async with channel.open_slack(settings, core) as opened:
        yield opened


plugin = ChannelPlugin(settings=SlackSettings, open=open_slack, papers={"manifest": manifest})
