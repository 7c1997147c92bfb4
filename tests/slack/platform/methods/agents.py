"""assistant.threads.* and agents.sessions.*: status, title, prompts, sessions."""

import time

from tests.slack.platform.ask import Ask
from tests.slack.platform.errors import SlackError
from tests.slack.platform.methods.chat import thread_ts
from tests.slack.platform.methods.streams import SESSION_STATES
from tests.slack.platform.things import Channel, Json, Prompts, Session, Status

PROMPTS = 4
LOADING_MESSAGES = 10
TITLE_CHARS = 200


def set_status(ask: Ask) -> Json:
    """An empty status clears what is shown."""
    channel, thread = _thread(ask)
    text = ask.text("status")
    loading = ask.json("loading_messages") or []
    if text is None or not isinstance(loading, list) or len(loading) > LOADING_MESSAGES:
        raise SlackError("invalid_arguments", "[ERROR] status or loading_messages")
    if text:
        ends_at = time.monotonic() + ask.workspace.settings.status_seconds
        ask.workspace.statuses[channel.id, thread] = Status(text=text, loading_messages=loading, ends_at=ends_at)
    else:
        ask.workspace.statuses.pop((channel.id, thread), None)
    return {}


def set_title(ask: Ask) -> Json:
    channel, thread = _thread(ask)
    ask.workspace.titles[channel.id, thread] = ask.need("title")
    return {}


def set_suggested_prompts(ask: Ask) -> Json:
    """With a thread_ts, an agent app's call is answered ok and does nothing."""
    channel = ask.channel("channel_id")
    prompts = ask.json("prompts")
    if not isinstance(prompts, list) or not 0 < len(prompts) <= PROMPTS:
        raise SlackError("invalid_arguments", f"[ERROR] one to {PROMPTS} prompts")
    if not all(isinstance(prompt, dict) and prompt.get("title") and prompt.get("message") for prompt in prompts):
        raise SlackError("invalid_arguments", "[ERROR] a prompt has a title and a message")
    thread = thread_ts(ask)
    if thread is None and not ask.workspace.settings.agent_view:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: thread_ts")
    if thread is None or not ask.workspace.settings.agent_view:
        ask.workspace.prompts[channel.id] = Prompts(title=ask.text("title"), prompts=prompts, thread_ts=thread)
    return {}


def set_session_status(ask: Ask) -> Json:
    channel, thread = _thread(ask)
    status = ask.text("status")
    if status not in SESSION_STATES:
        raise SlackError("invalid_arguments", "[ERROR] status is unknown")
    title = ask.text("title")
    if title is not None and len(title) > TITLE_CHARS:
        raise SlackError("invalid_arguments", "[ERROR] title is too long")
    session = ask.workspace.sessions.setdefault((channel.id, thread), Session(status=status, title=title))
    session.status = status
    shown: Json = {"status": session.status, "agent_status": session.status, "title": session.title}
    events = ask.workspace.settings.events
    if events is not None and "agent_session_stopped" not in events:
        shown["warning"] = "missing_agent_session_stopped_event_subscription"
    return shown


def rename_session(ask: Ask) -> Json:
    channel, thread = _thread(ask)
    title = ask.need("title")
    session = ask.workspace.sessions.get((channel.id, thread))
    if session is None:
        raise SlackError("session_not_found")
    if len(title) > TITLE_CHARS:
        raise SlackError("invalid_arguments", "[ERROR] title is too long")
    session.title = title
    return {"title": title}


def _thread(ask: Ask) -> tuple[Channel, str]:
    channel = ask.channel("channel_id")
    thread = thread_ts(ask)
    if thread is None:
        raise SlackError("invalid_thread_ts")
    return channel, thread


METHODS = {
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setTitle": set_title,
    "assistant.threads.setSuggestedPrompts": set_suggested_prompts,
    "agents.sessions.setStatus": set_session_status,
    "agents.sessions.rename": rename_session,
}
