"""What Bolt calls: each event and interaction goes to the part that knows what to do.

Bolt runs a listener before it acknowledges (`process_before_response`), so that Slack is told "received" only of what
is stored; what a listener raises makes Slack deliver again.
"""

import logging
from contextlib import suppress
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from adapters.shared.thanking import thanks
from adapters.slack import binding, home
from adapters.slack.blocks import RATE
from adapters.slack.calls import made
from adapters.slack.desk import Desk
from adapters.slack.hearing import Hearing
from adapters.slack.manifest import COMMAND
from adapters.slack.pane import Pane
from adapters.slack.thread import Place
from adapters.slack.words import (
    ADMINS_ONLY,
    BOUND,
    COMMAND_HELP,
    FORGOTTEN,
    IN_CHINESE,
    NOTHING_RUNS,
    STOPPED,
    THANKS,
)
from adapters.slack.workspaces import Workspace
from bot.errors import ChannelError, ChannelGone, UnknownPersona
from bot.types import ConversationKey, LocalText, Person, Persona

Body = dict[str, Any]


class Listeners:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._core = desk.core
        self._hearing = Hearing(desk)

    def app(self) -> AsyncApp:
        """Bolt with everything put in."""

        async def authorize(enterprise_id: str | None, team_id: str | None) -> Any:  # Bolt takes no method here
            return await self._desk.workspaces.authorize(enterprise_id, team_id)

        secret = self._desk.settings.signing_secret
        app = AsyncApp(
            logger=logging.getLogger("slack_bolt"),
            name="parley",
            process_before_response=True,
            signing_secret=secret.get_secret_value() if secret else "",
            authorize=authorize,
        )
        for event in ("message", "app_mention"):
            app.event(event)(self._on_message)
        app.event("app_home_opened")(self._on_home)
        app.event("assistant_thread_started")(self._on_pane)
        app.event("agent_session_stopped")(self._on_stop)
        for event in ("app_uninstalled", "tokens_revoked"):
            app.event(event)(self._on_gone)
        app.command(COMMAND)(self._on_command)
        app.action(RATE)(self._on_rating)
        app.action(home.FORGET)(self._on_forget)
        app.view(binding.MODAL)(self._on_binding)
        return app

    async def _workspace(self, context: AsyncBoltContext) -> Workspace:
        return await self._desk.workspaces.get(str(context.team_id), enterprise=context.enterprise_id)

    async def _on_message(self, body: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        await self._hearing.hear(body["event"], event_id=body["event_id"], workspace=workspace)

    async def _on_home(self, event: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        if event.get("tab") == "home":
            await self._show_home(workspace, event["user"])
        else:
            profile = await self._desk.people.get(workspace.ask, event["user"])
            persona = await self._persona(workspace.team, event["channel"])
            if persona is not None:
                await Pane(workspace).suggest(event["channel"], persona, locale=profile.locale, thread=None)

    async def _on_pane(self, event: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        started = event["assistant_thread"]
        profile = await self._desk.people.get(workspace.ask, started["user_id"])
        persona = await self._persona(workspace.team, started["channel_id"])
        if persona is not None:
            await Pane(workspace).suggest(
                started["channel_id"], persona, locale=profile.locale, thread=started["thread_ts"]
            )

    async def _on_stop(self, event: Body, context: AsyncBoltContext) -> None:
        key = ConversationKey(
            channel="slack", tenant=str(context.team_id), room=event["channel"], thread=event["thread_ts"]
        )
        if not await self._stop(key):  # a turn that is stopped ends its session itself
            workspace = await self._workspace(context)
            await Pane(workspace).rest(Place(team=key.tenant, channel=key.room, thread=key.thread))

    async def _on_gone(self, context: AsyncBoltContext) -> None:
        await self._desk.workspaces.forget(str(context.team_id), enterprise=context.enterprise_id)

    async def _on_rating(self, ack: AsyncAck, body: Body, action: Body, context: AsyncBoltContext) -> None:
        rating, _, turn = str(action.get("value", "")).partition(":")
        found = await self._core.store.turns.get(turn)
        here = (body.get("channel") or {}).get("id")
        key = found.conversation if found is not None else None
        if found is None or key is None or (key.channel, key.tenant, key.room) != ("slack", context.team_id, here):
            await ack()
            return
        await self._core.inbox.rate(turn, "up" if rating == "up" else "down")
        await ack()
        said = thanks(THANKS, found.persona, self._core.personas)
        await self._tell(context, body["user"]["id"], key.room, said, thread=key.thread)

    async def _on_forget(self, ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        await self._core.inbox.erase(_person(workspace, body["user"]["id"]))
        await ack()
        await self._show_home(workspace, body["user"]["id"])

    async def _on_binding(self, ack: AsyncAck, body: Body, view: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        user = body["user"]["id"]
        profile = await self._desk.people.get(workspace.ask, user)
        choice = binding.chosen(view)
        if not profile.admin:
            await ack(response_action="errors", errors={binding.PERSONA: ADMINS_ONLY.pick(profile.locale)})
            return
        persona = self._core.personas.get(choice.persona)
        await self._core.store.rooms.bind("slack", workspace.team, choice.channel, persona.name)
        await ack()
        said = BOUND.pick(profile.locale).format(title=persona.title.pick(profile.locale), channel=choice.channel)
        await self._tell(context, user, choice.channel, LocalText({"en": said}))

    async def _on_command(self, ack: AsyncAck, command: Body, context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        user, channel = command["user_id"], command["channel_id"]
        profile = await self._desk.people.get(workspace.ask, user)
        words = command.get("text", "").lower().split()
        match [IN_CHINESE.get(word, word) for word in words]:
            case ["persona", *_] if not profile.admin:
                said = ADMINS_ONLY
            case ["persona", *_]:
                await self._choose(workspace, command, locale=profile.locale)
                await ack()
                return
            case ["stop"]:
                said = STOPPED if await self._stop_in(workspace.team, channel) else NOTHING_RUNS
            case ["forget"]:
                await self._core.inbox.erase(_person(workspace, user))
                said = FORGOTTEN
            case _:
                said = COMMAND_HELP
        await ack(response_type="ephemeral", text=said.pick(profile.locale).format(command=COMMAND))

    async def _choose(self, workspace: Workspace, command: Body, *, locale: str | None) -> None:
        channel = command["channel_id"]
        bound = await self._core.store.rooms.bound("slack", workspace.team)
        shown = binding.modal(self._core.personas.all(), channel=channel, chosen=bound.get(channel), locale=locale)
        await made("views.open", workspace.post.views_open(trigger_id=command["trigger_id"], view=shown))

    async def _show_home(self, workspace: Workspace, user: str) -> None:
        profile = await self._desk.people.get(workspace.ask, user)
        known = await home.remembered(self._core.store, _person(workspace, user))
        shown = home.view(self._core.personas.all(), known, locale=profile.locale)
        with suppress(ChannelError):
            await made("views.publish", workspace.ask.views_publish(user_id=user, view=shown))

    async def _persona(self, team: str, channel: str) -> Persona | None:
        """Who answers in a room."""
        rooms = self._desk.settings.personas
        bound = await self._core.store.rooms.bound("slack", team)
        name = bound.get(channel) or rooms.get(channel) or rooms.get("default", "support")
        try:
            return self._core.personas.get(name)
        except UnknownPersona:
            return None

    async def _stop(self, key: ConversationKey) -> bool:
        turn = await self._core.store.turns.newest(key)
        if turn is None or turn.state.is_final:
            return False
        await self._core.inbox.stop(turn.id)
        return True

    async def _stop_in(self, team: str, channel: str) -> bool:
        """Stop what is being answered in any thread of a channel."""
        running = await self._core.store.turns.unfinished("slack", team, channel)
        for turn in running:
            await self._core.inbox.stop(turn)
        return bool(running)

    async def _tell(
        self, context: AsyncBoltContext, user: str, channel: str, words: LocalText, *, thread: str | None = None
    ) -> None:
        """A word that only this person sees; it does not matter where Slack does not take it."""
        with suppress(ChannelError, ChannelGone):
            workspace = await self._workspace(context)
            profile = await self._desk.people.get(workspace.ask, user)
            await made(
                "chat.postEphemeral",
                workspace.post.chat_postEphemeral(
                    channel=channel, user=user, thread_ts=thread, text=words.pick(profile.locale)
                ),
            )


def _person(workspace: Workspace, user: str) -> Person:
    return Person(channel="slack", tenant=workspace.team, id=user)
