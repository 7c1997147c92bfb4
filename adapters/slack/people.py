"""Names and languages of people, asked for once an hour at most."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from adapters.shared.markup import incoming
from adapters.slack.calls import made
from adapters.slack.inbound import mentioned
from bot.errors import ChannelError

KEEP_SECONDS = 3600.0
WAIT_SECONDS = 1.0
MOST = 10_000
MOST_NAMES = 10


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    locale: str | None = None
    admin: bool = False


class People:
    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, Profile]] = OrderedDict()

    async def get(self, client: AsyncWebClient, user: str) -> Profile:
        """The profile; where Slack does not say in time, the id in place of a name."""
        found = self._known.get(user)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                answer = await made("users.info", client.users_info(user=user, include_locale=True))
        except (ChannelError, TimeoutError):
            return found[1] if found is not None else Profile(user)
        told = answer["user"]
        names = told.get("profile") or {}
        name = names.get("display_name") or names.get("real_name") or told.get("real_name") or told.get("name") or user
        is_admin = bool(told.get("is_admin") or told.get("is_owner"))
        profile = Profile(name=name, locale=told.get("locale"), admin=is_admin)
        self._known[user] = (time.monotonic() + KEEP_SECONDS, profile)
        self._known.move_to_end(user)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return profile

    async def plain(self, client: AsyncWebClient, text: str) -> str:
        """Slack's text without its escapes, with names in place of ids."""
        users = mentioned(text)[:MOST_NAMES]
        profiles = await asyncio.gather(*(self.get(client, user) for user in users))
        names = {user: profile.name for user, profile in zip(users, profiles, strict=True)}
        return incoming.from_slack(text, person=names.get).strip()
