"""What people press, pick, submit and command, and what Slack makes of the app's acknowledgement."""

from typing import Any

from tests.slack.platform import answers, payloads
from tests.slack.platform.blocks import elements
from tests.slack.platform.carrying import Ack
from tests.slack.platform.delivery import Courier
from tests.slack.platform.things import Channel, Json, Team, User, View
from tests.slack.platform.workspace import Workspace


class Hands:
    """Each verb returns the acknowledgement, None where the app took longer than three seconds."""

    workspace: Workspace
    courier: Courier

    async def command(self, user: User, channel: Channel, command: str, text: str = "") -> Ack | None:
        team = self.workspace.team_of(channel)
        payload = payloads.slash_command(
            team,
            user,
            channel,
            command,
            text,
            app_id=self.workspace.app_id,
            trigger=self.workspace.trigger(team, user),
            response_url=self.workspace.response_url(channel, user),
        )
        ack = await self.courier.interaction("slash_commands", payload, command)
        if ack is not None and ack.response:
            body = {"text": ack.response} if isinstance(ack.response, str) else ack.response
            answers.say(self.workspace, body, channel=channel.id, user=user.id)
        return ack

    async def press(self, user: User, ts: str, action_id: str, *, value: str | None = None) -> Ack | None:
        """A button, a menu's option or one of the feedback buttons: `value` says which where there are several."""
        channel, message = self.workspace.find(ts)
        ephemeral = message.only_for is not None
        container: Json = {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts is not None:
            container["thread_ts"] = message.thread_ts
        return await self._act(
            user,
            _action(message.blocks, action_id, value),
            container=container,
            channel={"id": channel.id, "name": channel.name or "directmessage"},
            message=None if ephemeral else self.workspace.shown(message),
            state={"values": {}},
            response_url=self.workspace.response_url(channel, user, message=ts),
        )

    async def press_home(self, user: User, action_id: str, *, value: str | None = None) -> Ack | None:
        return await self._press_view(user, self.workspace.homes[user.id], action_id, value)

    async def press_modal(self, user: User, action_id: str, *, value: str | None = None) -> Ack | None:
        return await self._press_view(user, self.modal(user), action_id, value)

    def modal(self, user: User) -> View:
        """The modal on top of this person's screen."""
        open_ = self.modals(user)
        if not open_:
            raise LookupError(f"no modal is open before {user.name}")
        return open_[-1]

    def modals(self, user: User) -> list[View]:
        return [
            view for view in self.workspace.views.values() if view.user == user.id and view.content["type"] == "modal"
        ]

    async def submit(self, user: User, values: dict[str, Any] | None = None) -> Ack | None:
        """Submits the top modal; `values` gives each input's value by action_id (an option's value for menus)."""
        view = self.modal(user)
        shown = self.workspace.shown_view(view) | {"state": {"values": _state(view.content, values or {})}}
        payload = self._interaction("view_submission", user, view=shown, response_urls=[])
        ack = await self.courier.interaction("interactive", payload, "view_submission")
        if ack is not None:
            self._after_submission(view, ack.response if isinstance(ack.response, dict) else {})
        return ack

    async def close_modal(self, user: User) -> Ack | None:
        view = self.modal(user)
        del self.workspace.views[view.id]
        if not view.content.get("notify_on_close"):
            return None
        payload = self._interaction("view_closed", user, view=self.workspace.shown_view(view), is_cleared=False)
        return await self.courier.interaction("interactive", payload, "view_closed")

    async def shortcut(self, user: User, callback_id: str) -> Ack | None:
        payload = self._interaction("shortcut", user, callback_id=callback_id, action_ts=self.workspace.ids.ts())
        return await self.courier.interaction("interactive", payload, "shortcut")

    async def message_shortcut(self, user: User, ts: str, callback_id: str) -> Ack | None:
        channel, message = self.workspace.find(ts)
        payload = self._interaction(
            "message_action",
            user,
            callback_id=callback_id,
            action_ts=self.workspace.ids.ts(),
            channel={"id": channel.id, "name": channel.name or "directmessage"},
            message_ts=ts,
            message=self.workspace.shown(message),
            response_url=self.workspace.response_url(channel, user, message=ts),
        )
        return await self.courier.interaction("interactive", payload, "message_action")

    async def _press_view(self, user: User, view: View, action_id: str, value: str | None) -> Ack | None:
        return await self._act(
            user,
            _action(view.content["blocks"], action_id, value),
            container={"type": "view", "view_id": view.id},
            view=self.workspace.shown_view(view),
        )

    async def _act(self, user: User, action: Json, **more: Any) -> Ack | None:
        given = {name: value for name, value in more.items() if value is not None}
        payload = self._interaction("block_actions", user, actions=[action | {"action_ts": self.workspace.ids.ts()}])
        return await self.courier.interaction("interactive", payload | given, "block_actions")

    def _interaction(self, kind: str, user: User, **more: Any) -> Json:
        team: Team = self.workspace.teams[user.team]
        trigger = self.workspace.trigger(team, user)
        return payloads.interaction(kind, team, user, app_id=self.workspace.app_id, trigger=trigger, **more)

    def _after_submission(self, view: View, response: Json) -> None:
        action = response.get("response_action")
        if action == "errors":
            return
        if action in {"update", "push"}:
            self._show(view, response["view"], push=action == "push")
            return
        gone = [view] if action is None else self.modals(self.workspace.users[view.user])
        for each in gone:
            self.workspace.views.pop(each.id, None)

    def _show(self, view: View, content: Json, *, push: bool) -> None:
        if not push:
            view.content, view.hash = content, self.workspace.ids.ts()
            return
        pushed = View(
            id=self.workspace.ids.new("V"),
            team=view.team,
            user=view.user,
            content=content,
            hash=self.workspace.ids.ts(),
            root=view.root,
            previous=view.id,
        )
        self.workspace.views[pushed.id] = pushed


def _action(blocks: list[Json], action_id: str, value: str | None) -> Json:
    for block, element in elements(blocks):
        if element["action_id"] == action_id:
            fixed = {"type": element["type"], "action_id": action_id, "block_id": block.get("block_id", "b1")}
            return fixed | _chosen(element, value)
    raise LookupError(f"nothing with action_id {action_id!r} can be pressed here")


def _chosen(element: Json, value: Any) -> Json:
    """What an element says when it is used: the same in an action and in a view's state."""
    kind = element["type"]
    if kind == "button":
        return {"text": element["text"]} | {name: element[name] for name in ("value", "style") if name in element}
    if kind == "feedback_buttons":
        buttons = [element["positive_button"], element["negative_button"]]
        return next(
            {"text": button["text"], "value": button["value"]} for button in buttons if button["value"] == value
        )
    if kind in {"static_select", "radio_buttons", "overflow"}:
        return {"selected_option": next(option for option in _options(element) if option["value"] == value)}
    if kind in {"checkboxes", "multi_static_select"}:
        return {"selected_options": [option for option in _options(element) if option["value"] in value]}
    if kind.endswith("_select"):
        thing = kind.removesuffix("_select").removesuffix("s")
        return {f"selected_{thing}": value}
    return {"value": value}


def _options(element: Json) -> list[Json]:
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def _state(content: Json, values: dict[str, Any]) -> Json:
    state: Json = {}
    known = dict.fromkeys(values)
    for block, element in elements(content["blocks"]):
        name = element["action_id"]
        if name in values:
            known.pop(name, None)
            chosen = {"type": element["type"]} | _chosen(element, values[name])
            state.setdefault(str(block.get("block_id", name)), {})[name] = chosen
    if known:
        raise LookupError(f"the modal has no input {', '.join(sorted(known))}")
    return state
