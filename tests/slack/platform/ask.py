"""One call of a Web API method, with its arguments however they were encoded."""

import json
from dataclasses import dataclass
from typing import Any

from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Channel, Json, Team, User
from tests.slack.platform.tokens import Token
from tests.slack.platform.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Getters raise SlackError as Slack refuses missing or wrong arguments."""

    method: str
    args: Json
    workspace: Workspace
    token: Token | None

    @property
    def team(self) -> Team:
        """The team that the token speaks for; with an org-wide token the call names it."""
        if self.token is None or self.token.team is None:
            raise SlackError("not_allowed_token_type")
        if self.token.org_wide and self.args.get("team_id") in self.workspace.teams:
            return self.workspace.teams[str(self.args["team_id"])]
        return self.workspace.teams[self.token.team]

    def text(self, name: str) -> str | None:
        value = self.args.get(name)
        return None if value is None else str(value)

    def need(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", f"[ERROR] missing required field: {name}")
        return value

    def json(self, name: str) -> Any:
        """A structure, written out in JSON bodies and as a string in forms. None where absent or empty."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            error = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}.get(name)
            raise SlackError(error or "invalid_arguments", f"[ERROR] {name} is not JSON") from None

    def flag(self, name: str) -> bool | None:
        value = self.args.get(name)
        return None if value is None else str(value).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.args.get(name) or default)
        except ValueError:
            raise SlackError("invalid_arguments", f"[ERROR] {name} is not a number") from None

    def channel(self, name: str = "channel", *, to_post: bool = False) -> Channel:
        """A channel the app can see; with `to_post`, one it can write to, opening a DM for a user's id."""
        wanted = self.text(name)
        if not wanted:
            raise SlackError("channel_not_found")
        if to_post and wanted in self.workspace.users:
            return self.workspace.direct(self.team, self.workspace.users[wanted])
        channel = self.workspace.channels.get(wanted)
        if channel is None or not self._sees(channel):
            raise SlackError("channel_not_found")
        if to_post and channel.archived:
            raise SlackError("is_archived")
        if to_post and self._bot(channel) not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def user(self, name: str = "user") -> User:
        user = self.workspace.users.get(self.text(name) or "")
        if user is None or (user.team != self.team.id and not (self.token and self.token.org_wide)):
            raise SlackError("user_not_found")
        return user

    def _bot(self, channel: Channel) -> str:
        return self.workspace.team_of(channel).bot_user

    def _sees(self, channel: Channel) -> bool:
        own = channel.team == self.team.id or (self.token is not None and self.token.org_wide)
        return own and (channel.kind == "channel" or self._bot(channel) in channel.members)
