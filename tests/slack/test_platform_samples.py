"""What the stand-in sends has the shape of the samples, which are Slack's payloads with invented values."""

import json
from pathlib import Path
from typing import Any

from tests.slack.clients import web_client
from tests.slack.platform import Settings, SlackPlatform

Json = dict[str, Any]
SAMPLES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("samples/*")}


def shape(value: Any) -> Any:
    """Names and types, without values: a list is the shapes of its items, each once."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


async def everything_that_people_do(slack: SlackPlatform) -> None:
    blocks = SAMPLES["block_actions_button"]["message"]["blocks"]
    modal = SAMPLES["view_closed"]["view"]
    modal = {name: modal[name] for name in ("type", "title", "submit", "callback_id", "notify_on_close", "blocks")}
    ann, client = slack.user("Ann"), web_client(slack)
    general, dm = slack.channel("general", [ann]), slack.dm(ann)
    await slack.say(ann, dm, "What does a comet consist of?")
    await slack.say(ann, dm, "Read this", files=[("notes.txt", b"notes")])
    root = await slack.say(ann, general, f"{slack.mention} what is a comet?")
    await slack.say(ann, general, "And its tail?", thread=root)
    await client.chat_postMessage(channel=general.id, text="Ice and dust.", thread_ts=root)
    other = await slack.say(ann, general, "What does a comet consist of?")
    await slack.message_shortcut(ann, other, "ask")
    await slack.edit(other, "What is a comet made of?")
    short_lived = await slack.say(ann, general, "Never mind")
    await slack.delete(short_lived)
    await slack.open_home(ann, tab="messages")
    await slack.open_home(ann, tab="home")
    context = {"channel_id": general.id, "team_id": slack.home.id, "enterprise_id": "E1"}
    await slack.start_assistant_thread(ann, context=context)
    recipient = {"recipient_user_id": ann.id, "recipient_team_id": ann.team}
    await client.api_call("chat.startStream", json={"channel": general.id, "thread_ts": root, **recipient})
    await client.agents_sessions_setStatus(channel_id=general.id, thread_ts=root, status="processing")
    await slack.stop(ann, general, root)
    await slack.invite_app(ann, slack.channel("later", [ann], with_app=False))
    await slack.react(ann, root, "thumbsup")
    posted = await client.chat_postMessage(channel=general.id, text="Ice and dust.", thread_ts=root, blocks=blocks)
    await slack.press(ann, str(posted["ts"]), "stop")
    await slack.press(ann, str(posted["ts"]), "feedback", value="up")
    await client.views_publish(user_id=ann.id, view={"type": "home", "blocks": blocks})
    await slack.press_home(ann, "stop")
    for _ in range(2):
        await client.views_open(trigger_id=slack.workspace.trigger(slack.home, ann), view=modal)
    await slack.submit(ann, {"persona": "tutor"})
    await slack.close_modal(ann)
    await slack.shortcut(ann, "ask")
    await slack.command(ann, general, "/parley", "new tutor")
    await slack.uninstall(slack.home)


async def test_every_sample_is_matched_by_something_that_was_sent() -> None:
    async with SlackPlatform(Settings(ack_seconds=0.01, retry_after=())) as slack:
        await everything_that_people_do(slack)
        await slack.settle()
        sent = [shape(delivery.payload) for delivery in slack.deliveries]
    unmatched = [name for name, sample in SAMPLES.items() if shape(sample) not in sent]
    assert unmatched == []
    assert len(SAMPLES) == 23
