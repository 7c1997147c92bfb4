"""The state of the stand-in: what exists, and the changes that Slack would announce as events."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.slack.platform import payloads
from tests.slack.platform.errors import SlackError
from tests.slack.platform.ids import Ids
from tests.slack.platform.settings import Settings
from tests.slack.platform.shapes import file_json, message_json, view_json
from tests.slack.platform.things import (
    Channel,
    File,
    Json,
    Message,
    Prompts,
    ResponseUrl,
    Session,
    Status,
    Team,
    Trigger,
    User,
    View,
)
from tests.slack.platform.tokens import Tokens

Announce = Callable[[str, Json], None]


@dataclass(slots=True, kw_only=True)
class Workspace:
    """`announce(team, event)` takes each event of the Events API that these changes cause."""

    settings: Settings
    ids: Ids
    tokens: Tokens
    announce: Announce
    app_id: str
    base_url: str = ""
    teams: dict[str, Team] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    statuses: dict[tuple[str, str], Status] = field(default_factory=dict)
    prompts: dict[str, Prompts] = field(default_factory=dict)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)

    def team_of(self, channel: Channel) -> Team:
        return self.teams[channel.team]

    def direct(self, team: Team, user: User) -> Channel:
        """The app's direct-message channel with this person, opened if need be."""
        members = [team.bot_user, user.id]
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == members:
                return channel
        channel = Channel(id=self.ids.new("D"), name="", team=team.id, kind="im", members=members)
        self.channels[channel.id] = channel
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        if ts not in channel.messages:
            raise SlackError("message_not_found")
        return channel.messages[ts]

    def find(self, ts: str) -> tuple[Channel, Message]:
        """The message with this ts, wherever it is; messages for one person's eyes included."""
        for message in self.ephemerals:
            if message.ts == ts:
                return self.channels[message.channel], message
        for channel in self.channels.values():
            if ts in channel.messages:
                return channel, channel.messages[ts]
        raise LookupError(f"no message {ts!r} is in any channel")

    def shown(self, message: Message, *, with_metadata: bool = False) -> Json:
        channel = self.channels[message.channel]
        replies = [other for other in channel.thread(message.ts) if other is not message]
        root = channel.messages.get(message.thread_ts or "")
        return message_json(
            message,
            app_id=self.app_of(message.bot_id, self.team_of(channel)),
            files=[file_json(self.files[file], base_url=self.base_url) for file in message.files],
            replies=replies,
            parent_user=root.user if root is not None and root is not message else None,
            with_metadata=with_metadata,
        )

    def app_of(self, bot_id: str | None, team: Team) -> str:
        """The app behind a bot: the tested one, or another of its own."""
        return self.app_id if bot_id in {None, team.bot_id} else f"A{(bot_id or '')[1:]}"

    def shown_view(self, view: View) -> Json:
        return view_json(view, team=self.teams[view.team], app_id=self.app_id)

    def post(self, message: Message, *, quietly: bool = False) -> None:
        channel = self.channels[message.channel]
        if message.thread_ts in channel.messages:
            message.thread_ts = channel.messages[message.thread_ts].thread_ts or message.thread_ts
        channel.messages[message.ts] = message
        if message.bot_id == self.team_of(channel).bot_id and message.thread_ts is not None:
            self.statuses.pop((channel.id, message.thread_ts), None)
        if not quietly:
            self._announce(channel, message, payloads.message_posted(channel, self.shown(message)))

    def changed(self, message: Message, previous: Json) -> None:
        channel = self.channels[message.channel]
        event = payloads.message_changed(channel, self.shown(message), previous, ts=self.ids.ts())
        self._announce(channel, message, event)

    def remove(self, message: Message) -> None:
        """A root that has replies stays as a tombstone; any other message goes."""
        channel = self.channels[message.channel]
        previous = self.shown(message)
        if any(other is not message for other in channel.thread(message.ts)):
            message.subtype, message.text = "tombstone", "This message was deleted."
            message.blocks, message.files, message.metadata = [], [], None
            self.changed(message, previous)
            return
        del channel.messages[message.ts]
        self._announce(channel, message, payloads.message_deleted(channel, previous, ts=self.ids.ts()))

    def snapshot(self, message: Message) -> Json:
        return copy.deepcopy(self.shown(message))

    def session_of(self, message: Message) -> Session | None:
        return self.sessions.get((message.channel, message.thread_ts or message.ts))

    def trigger(self, team: Team, user: User) -> str:
        trigger = self.ids.trigger()
        ends_at = time.monotonic() + self.settings.trigger_seconds
        self.triggers[trigger] = Trigger(team=team.id, user=user.id, ends_at=ends_at)
        return trigger

    def response_url(self, channel: Channel, user: User, *, message: str | None = None) -> str:
        key = self.ids.secret("answer")
        ends_at = time.monotonic() + self.settings.response_url_seconds
        self.response_urls[key] = ResponseUrl(channel=channel.id, user=user.id, message=message, ends_at=ends_at)
        return f"{self.base_url}/actions/{channel.team}/{key}"

    def _announce(self, channel: Channel, message: Message, event: Json) -> None:
        team = self.team_of(channel)
        own = message.bot_id == team.bot_id
        if team.bot_user in channel.members and (self.settings.echo or not own):
            self.announce(team.id, event)
