"""What people do in the workspace, and the events that Slack sends the app for it."""

from collections.abc import Iterable
from typing import Literal

from tests.slack.platform import payloads
from tests.slack.platform.delivery import Courier
from tests.slack.platform.things import Channel, File, Json, Message, Team, User
from tests.slack.platform.workspace import Workspace


class People:
    """Each verb returns when the act is done; the events are then on their way."""

    workspace: Workspace
    courier: Courier

    def team(self, name: str, *, enterprise: str | None = None) -> Team:
        """A further workspace. The app isn't installed in it yet."""
        ids = self.workspace.ids
        team = Team(id=ids.new("T"), name=name, bot_user=ids.new("U"), bot_id=ids.new("B"), enterprise=enterprise)
        self.workspace.teams[team.id] = team
        bot = User(id=team.bot_user, name="Parley", team=team.id, is_bot=True, bot_id=team.bot_id)
        self.workspace.users[bot.id] = bot
        return team

    def user(
        self,
        name: str,
        *,
        admin: bool = False,
        locale: str = "en-US",
        tz: str = "Europe/Amsterdam",
        is_bot: bool = False,
        team: Team | None = None,
    ) -> User:
        """A person, or with `is_bot` another app's bot."""
        ids = self.workspace.ids
        user = User(
            id=ids.new("U"),
            name=name,
            team=(team or self.home).id,
            admin=admin,
            locale=locale,
            tz=tz,
            is_bot=is_bot,
            bot_id=ids.new("B") if is_bot else None,
        )
        self.workspace.users[user.id] = user
        return user

    def channel(
        self,
        name: str,
        members: Iterable[User] = (),
        *,
        private: bool = False,
        with_app: bool = True,
        team: Team | None = None,
    ) -> Channel:
        where = team or self.home
        channel = Channel(
            id=self.workspace.ids.new("C"),
            name=name,
            team=where.id,
            kind="group" if private else "channel",
            members=[*([where.bot_user] if with_app else []), *(member.id for member in members)],
        )
        self.workspace.channels[channel.id] = channel
        return channel

    def dm(self, user: User) -> Channel:
        return self.workspace.direct(self.workspace.teams[user.team], user)

    @property
    def home(self) -> Team:
        """The first workspace, where the app is installed from the beginning."""
        return next(iter(self.workspace.teams.values()))

    @property
    def mention(self) -> str:
        """The app's name in a message of the first workspace, as Slack writes it."""
        return f"<@{self.home.bot_user}>"

    async def say(
        self,
        user: User,
        channel: Channel,
        text: str,
        *,
        thread: str | None = None,
        files: Iterable[tuple[str, bytes]] = (),
    ) -> str:
        """Posts and gives the ts. A mention in a channel brings a second event, `app_mention`, for the same ts."""
        if user.id not in channel.members:
            channel.members.append(user.id)
        message = Message(
            ts=self.workspace.ids.ts(),
            channel=channel.id,
            team=channel.team,
            user=user.id,
            bot_id=user.bot_id,
            text=text,
            blocks=_rich_text(text),
            thread_ts=thread,
            client_msg_id=None if user.is_bot else self.workspace.ids.secret("client"),
            files=[self._shared(user, channel, name, content) for name, content in files],
        )
        self.workspace.post(message)
        team = self.workspace.team_of(channel)
        if f"<@{team.bot_user}>" in text and channel.kind != "im" and team.bot_user in channel.members:
            event = payloads.app_mention(channel, self.workspace.shown(message))
            self.workspace.announce(team.id, event)
        return message.ts

    async def edit(self, ts: str, text: str) -> None:
        _, message = self.workspace.find(ts)
        previous = self.workspace.snapshot(message)
        message.text, message.blocks = text, _rich_text(text)
        message.edits += 1
        message.edited_by, message.edited_ts = message.user, self.workspace.ids.ts()
        self.workspace.changed(message, previous)

    async def unfurl(self, ts: str) -> None:
        """Slack adds a link's preview: a message_changed whose text didn't change."""
        _, message = self.workspace.find(ts)
        previous = self.workspace.snapshot(message)
        message.attachments = [{"from_url": "https://example.org/", "title": "Example", "id": 1}]
        self.workspace.changed(message, previous)

    async def delete(self, ts: str) -> None:
        self.workspace.remove(self.workspace.find(ts)[1])

    async def react(self, user: User, ts: str, name: str) -> None:
        channel, message = self.workspace.find(ts)
        message.reactions.setdefault(name, []).append(user.id)
        item = {"type": "message", "channel": channel.id, "ts": ts}
        event: Json = {"type": "reaction_added", "user": user.id, "reaction": name, "item_user": message.user}
        self.workspace.announce(channel.team, event | {"item": item, "event_ts": self.workspace.ids.ts()})

    async def invite_app(self, user: User, channel: Channel) -> None:
        team = self.workspace.team_of(channel)
        channel.members.append(team.bot_user)
        event: Json = {"type": "member_joined_channel", "user": team.bot_user, "inviter": user.id, "team": team.id}
        kind = "C" if channel.kind == "channel" else "G"
        event |= {"channel": channel.id, "channel_type": kind, "event_ts": self.workspace.ids.ts()}
        self.workspace.announce(team.id, event)

    async def open_home(self, user: User, *, tab: Literal["home", "messages"] = "home") -> None:
        team = self.workspace.teams[user.team]
        view = self.workspace.homes.get(user.id) if tab == "home" else None
        event = payloads.app_home_opened(
            user,
            self.dm(user),
            tab,
            view=None if view is None else self.workspace.shown_view(view),
            agent=self.workspace.settings.agent_view,
            ts=self.workspace.ids.ts(),
        )
        self.workspace.announce(team.id, event)

    async def start_assistant_thread(self, user: User, *, context: Json | None = None) -> str:
        """The older pane opens: the thread's root is a message of the app's own. Gives the thread's ts."""
        team, channel = self.workspace.teams[user.team], self.dm(user)
        root = Message(
            ts=self.workspace.ids.ts(),
            channel=channel.id,
            team=team.id,
            user=team.bot_user,
            bot_id=team.bot_id,
            text="New Assistant Thread",
            subtype="assistant_app_thread",
        )
        self.workspace.post(root, quietly=True)
        event = payloads.assistant_thread_started(
            user, channel, context=context or {}, ts=root.ts, event_ts=self.workspace.ids.ts()
        )
        self.workspace.announce(team.id, event)
        return root.ts

    async def stop(self, user: User, channel: Channel, thread: str) -> None:
        """Presses Slack's own stop button, which is there while the session is processing. It stays so."""
        session = self.workspace.sessions.get((channel.id, thread))
        if session is None or session.status != "processing":
            raise LookupError(f"no session is processing in thread {thread!r}, so there is no stop button")
        live = [message for message in channel.thread(thread) if message.streaming == "in_progress"]
        for message in live:
            if message.stream is not None:
                message.stream.state = "stopped_by_user"
        streams = [message.ts for message in live]
        event = payloads.agent_session_stopped(user, channel, thread, streams=streams, ts=self.workspace.ids.ts())
        self.workspace.announce(channel.team, event)

    async def uninstall(self, team: Team) -> None:
        """The app's tokens of this workspace are revoked; the last events say so."""
        ids = self.workspace.ids
        tokens: Json = {"oauth": [], "bot": [team.bot_user]}
        self.workspace.announce(team.id, {"type": "tokens_revoked", "tokens": tokens, "event_ts": ids.ts()})
        self.workspace.announce(team.id, {"type": "app_uninstalled", "event_ts": ids.ts()})
        self.workspace.tokens.revoke_all(team.id)

    def _shared(self, user: User, channel: Channel, name: str, content: bytes) -> str:
        file = File(
            id=self.workspace.ids.new("F"),
            name=name,
            team=channel.team,
            user=user.id,
            length=len(content),
            content=content,
            completed=True,
            channels=[channel.id],
        )
        self.workspace.files[file.id] = file
        return file.id


def _rich_text(text: str) -> list[Json]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "block_id": "b1", "elements": [section]}] if text else []
