"""views.publish, views.open, views.push, views.update."""

import time

from tests.slack.platform.ask import Ask
from tests.slack.platform.blocks import check_view
from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json, Trigger, View


def publish(ask: Ask) -> Json:
    """The Home tab of one person."""
    user = ask.user("user_id")
    content = _content(ask, "home")
    shown = ask.workspace.homes.get(user.id)
    if shown is not None and ask.text("hash") not in {None, "", shown.hash}:
        raise SlackError("hash_conflict")
    view = _new_view(ask, user.id, content)
    if shown is not None:
        view.id = view.root = shown.id
    ask.workspace.homes[user.id] = ask.workspace.views[view.id] = view
    return _answer(ask, view)


def open_(ask: Ask) -> Json:
    trigger = _take_trigger(ask)
    view = _new_view(ask, trigger.user, _content(ask, "modal"))
    ask.workspace.views[view.id] = view
    return _answer(ask, view)


def push(ask: Ask) -> Json:
    trigger = _take_trigger(ask)
    below = [view for view in ask.workspace.views.values() if view.user == trigger.user and _is_modal(view)]
    view = _new_view(ask, trigger.user, _content(ask, "modal"))
    if below:
        view.previous, view.root = below[-1].id, below[-1].root
    ask.workspace.views[view.id] = view
    return _answer(ask, view)


def update(ask: Ask) -> Json:
    wanted, external = ask.text("view_id"), ask.text("external_id")
    view = ask.workspace.views.get(wanted or "") or next(
        (view for view in ask.workspace.views.values() if external and view.content.get("external_id") == external),
        None,
    )
    if view is None or view.team != ask.team.id:
        raise SlackError("not_found")
    if ask.text("hash") not in {None, "", view.hash}:
        raise SlackError("hash_conflict")
    view.content = _content(ask, "modal" if _is_modal(view) else "home")
    view.hash = ask.workspace.ids.ts()
    return _answer(ask, view)


def _take_trigger(ask: Ask) -> Trigger:
    trigger = ask.workspace.triggers.get(ask.need("trigger_id"))
    if trigger is None or trigger.team != ask.team.id:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if time.monotonic() > trigger.ends_at:
        raise SlackError("expired_trigger_id")
    trigger.used = True
    return trigger


def _content(ask: Ask, kind: str) -> Json:
    content = check_view(ask.json("view"))
    if content["type"] != kind:
        raise SlackError("invalid_arguments", f"[ERROR] the view's type is not {kind}")
    return content


def _new_view(ask: Ask, user: str, content: Json) -> View:
    view_id = ask.workspace.ids.new("V")
    return View(id=view_id, team=ask.team.id, user=user, content=content, hash=ask.workspace.ids.ts(), root=view_id)


def _answer(ask: Ask, view: View) -> Json:
    return {"view": ask.workspace.shown_view(view)}


def _is_modal(view: View) -> bool:
    return bool(view.content["type"] == "modal")


METHODS = {"views.publish": publish, "views.open": open_, "views.push": push, "views.update": update}
