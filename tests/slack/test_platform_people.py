"""What people press, submit, command and install reaches Bolt's app, and its answers reach people."""

import asyncio
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from yarl import URL

from tests.slack.clients import bolt_app, error_of, socket_mode, web_client
from tests.slack.platform import Settings, SlackPlatform

Json = dict[str, Any]

# slack_sdk still builds the BasicAuth that aiohttp deprecates
BASIC_AUTH = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


BUTTON = {"type": "button", "action_id": "stop", "text": plain("Stop"), "value": "turn-1"}
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": plain("Good"), "value": "up"},
    "negative_button": {"text": plain("Bad"), "value": "down"},
}
BLOCKS = [
    {"type": "actions", "block_id": "a", "elements": [BUTTON]},
    {"type": "context_actions", "block_id": "f", "elements": [FEEDBACK]},
]
CHOICE = {
    "type": "static_select",
    "action_id": "persona",
    "options": [{"text": plain(name), "value": name} for name in ("tutor", "health")],
}
MODAL = {
    "type": "modal",
    "callback_id": "bind",
    "title": plain("Persona"),
    "submit": plain("Save"),
    "blocks": [{"type": "input", "block_id": "p", "label": plain("Persona"), "element": CHOICE}],
}


async def test_buttons_and_feedback_tell_what_was_pressed_and_where(slack: SlackPlatform) -> None:
    app, pressed = bolt_app(slack), list[Json]()

    @app.action("stop")
    @app.action("feedback")
    async def keep(ack: Any, body: Json) -> None:
        await ack()
        pressed.append(body)

    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    posted = await web_client(slack).chat_postMessage(channel=general.id, text="hello", blocks=BLOCKS)
    async with socket_mode(app, slack):
        assert await slack.press(ann, str(posted["ts"]), "stop")
        assert await slack.press(ann, str(posted["ts"]), "feedback", value="down")
    assert [body["actions"][0]["value"] for body in pressed] == ["turn-1", "down"]
    assert {body["container"]["message_ts"] for body in pressed} == {posted["ts"]}
    with pytest.raises(LookupError):
        await slack.press(ann, str(posted["ts"]), "nothing")


async def test_a_press_without_acknowledgement_comes_once_and_gives_nothing() -> None:
    async with SlackPlatform(Settings(ack_seconds=0.05)) as slack:
        ann = slack.user("Ann")
        posted = await web_client(slack).chat_postMessage(channel=slack.dm(ann).id, text="hello", blocks=BLOCKS)
        assert await slack.press(ann, str(posted["ts"]), "stop") is None
        assert [each.kind for each in slack.deliveries].count("interactive") == 1


async def test_a_command_answers_by_its_acknowledgement_and_its_response_url(slack: SlackPlatform) -> None:
    app = bolt_app(slack)

    @app.command("/parley")
    async def command(ack: Any, respond: Any, command: Json) -> None:
        await ack(f"{command['command']} {command['text']}")
        await respond("later")
        await respond(text="to all", response_type="in_channel")

    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    async with socket_mode(app, slack):
        await slack.command(ann, general, "/parley", "help")
        await slack.finished(general)
    assert sorted(message.text for message in slack.ephemerals(ann)) == ["/parley help", "later"]
    assert [message.text for message in slack.answers(general)] == ["to all"]


async def test_a_response_url_serves_five_times(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    url = slack.workspace.response_url(slack.channel("general", [ann]), ann)
    webhook = AsyncWebhookClient(url)
    told = [(await webhook.send(text=str(number))).status_code for number in range(6)]
    assert told == [200] * 5 + [404]


async def test_an_ephemeral_message_can_be_replaced_by_the_press_on_it(slack: SlackPlatform) -> None:
    app = bolt_app(slack)

    @app.action("stop")
    async def replace(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="done", replace_original=True)

    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    posted = await web_client(slack).chat_postEphemeral(channel=general.id, user=ann.id, text="x", blocks=BLOCKS)
    async with socket_mode(app, slack):
        await slack.press(ann, str(posted["message_ts"]), "stop")
        await slack.until(lambda: slack.ephemerals(ann)[0].text == "done")
    assert slack.ephemerals(ann)[0].blocks == []


async def test_the_home_tab_shows_what_was_published_and_can_be_pressed(slack: SlackPlatform) -> None:
    app, opened, pressed = bolt_app(slack), list[Json](), list[Json]()

    @app.event("app_home_opened")
    async def publish(event: Json, client: AsyncWebClient) -> None:
        opened.append(event)
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": BLOCKS})

    @app.action("stop")
    async def keep(ack: Any, body: Json) -> None:
        await ack()
        pressed.append(body)

    ann = slack.user("Ann")
    async with socket_mode(app, slack):
        await slack.open_home(ann)
        await slack.until(lambda: slack.home_view(ann))
        await slack.open_home(ann)
        await slack.open_home(ann, tab="messages")
        await slack.press_home(ann, "stop")
        await slack.settle()
    assert sorted((event["tab"], "view" in event) for event in opened) == [
        ("home", False),
        ("home", True),
        ("messages", False),
    ]
    assert pressed[0]["container"]["type"] == "view"


async def test_a_modal_opens_by_a_trigger_and_submits_its_values(slack: SlackPlatform) -> None:
    app, submitted = bolt_app(slack), list[Json]()

    @app.command("/parley")
    async def open_modal(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("bind")
    async def keep(ack: Any, view: Json) -> None:
        submitted.append(view["state"]["values"])
        if len(submitted) == 1:
            await ack(response_action="errors", errors={"p": "not this one"})
        else:
            await ack()

    ann = slack.user("Ann", admin=True)
    general = slack.channel("general", [ann])
    async with socket_mode(app, slack):
        await slack.command(ann, general, "/parley", "persona")
        await slack.until(lambda: slack.modals(ann))
        await slack.submit(ann, {"persona": "tutor"})
        assert slack.modal(ann).content["callback_id"] == "bind"
        await slack.submit(ann, {"persona": "health"})
    assert slack.modals(ann) == []
    assert [values["p"]["persona"]["selected_option"]["value"] for values in submitted] == ["tutor", "health"]


async def test_a_trigger_opens_one_modal_within_its_time() -> None:
    async with SlackPlatform(Settings(trigger_seconds=0.2)) as slack:
        ann, client = slack.user("Ann"), web_client(slack)
        errors = []
        used, late = slack.workspace.trigger(slack.home, ann), slack.workspace.trigger(slack.home, ann)
        await client.views_open(trigger_id=used, view=MODAL)
        await asyncio.sleep(0.25)
        for trigger in (used, late, "1.2.3"):
            with pytest.raises(SlackApiError) as refused:
                await client.views_open(trigger_id=trigger, view=MODAL)
            errors.append(error_of(refused.value))
        assert errors == ["exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id"]


async def test_a_view_that_breaks_block_kits_rules_is_refused(slack: SlackPlatform) -> None:
    ann, client = slack.user("Ann"), web_client(slack)
    for broken in ({"title": plain("x" * 25)}, {"submit": None}, {"blocks": [{"type": "section"}]}):
        with pytest.raises(SlackApiError) as refused:
            await client.views_open(trigger_id=slack.workspace.trigger(slack.home, ann), view=MODAL | broken)
        assert error_of(refused.value) == "invalid_arguments"


async def test_shortcuts_reach_the_app(slack: SlackPlatform) -> None:
    app, seen = bolt_app(slack), list[Json]()

    @app.shortcut("ask")
    async def keep(ack: Any, body: Json) -> None:
        await ack()
        seen.append(body)

    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    ts = await slack.say(ann, general, "what is this?")
    async with socket_mode(app, slack):
        await slack.shortcut(ann, "ask")
        await slack.message_shortcut(ann, ts, "ask")
    assert [body["type"] for body in seen] == ["shortcut", "message_action"]
    assert seen[1]["message"]["text"] == "what is this?"


async def test_bolts_assistant_takes_the_older_pane() -> None:
    from slack_bolt.middleware.assistant.async_assistant import AsyncAssistant

    async with SlackPlatform(Settings(agent_view=False)) as slack:
        app, assistant = bolt_app(slack), AsyncAssistant()

        @assistant.thread_started
        async def greet(say: Any, set_suggested_prompts: Any) -> None:
            await say("Hello")
            await set_suggested_prompts(prompts=["Who are you?"])

        app.assistant(assistant)
        ann = slack.user("Ann")
        async with socket_mode(app, slack):
            thread = await slack.start_assistant_thread(ann)
            await slack.until(lambda: slack.prompts(slack.dm(ann)))
        assert [message.text for message in slack.answers(slack.dm(ann), thread)][1:] == ["Hello"]


@BASIC_AUTH
async def test_a_second_workspace_is_installed_by_oauth_and_its_events_arrive(slack: SlackPlatform) -> None:
    other = slack.team("Other", enterprise="E1")
    bob = slack.user("Bob", team=other)
    await slack.say(bob, slack.dm(bob), "nobody hears this")
    await slack.settle()
    assert slack.deliveries == []
    tokens = slack.workspace.tokens
    exchange = {"client_id": tokens.client_id, "client_secret": tokens.client_secret, "code": tokens.code(other.id)}
    installed = await AsyncWebClient(base_url=slack.api_url).oauth_v2_access(**exchange)
    assert (installed["team"]["id"], installed["bot_user_id"]) == (other.id, other.bot_user)
    token = str(installed["access_token"])
    assert (await web_client(slack, token).auth_test())["team_id"] == other.id
    with pytest.raises(SlackApiError) as refused:
        await web_client(slack).chat_postMessage(channel=slack.dm(bob).id, text="not mine")
    assert error_of(refused.value) == "channel_not_found"
    with pytest.raises(SlackApiError) as again:
        await AsyncWebClient(base_url=slack.api_url).oauth_v2_access(**exchange)
    assert error_of(again.value) == "invalid_code"
    await slack.say(bob, slack.dm(bob), "heard")
    await slack.until(lambda: slack.deliveries)
    assert (slack.deliveries[0].payload["team_id"], slack.deliveries[0].payload["enterprise_id"]) == (other.id, "E1")


async def test_the_install_page_leads_back_with_a_code_and_the_state(slack: SlackPlatform) -> None:
    query = {"client_id": slack.workspace.tokens.client_id, "redirect_uri": "http://app.example/back", "state": "s1"}
    async with slack.http.get(slack.authorize_url, params=query, allow_redirects=False) as answer:
        back = URL(answer.headers["Location"])
    assert (answer.status, back.host, back.query["state"]) == (302, "app.example", "s1")
    assert slack.workspace.tokens.take_code(back.query["code"]) == (slack.home.id, False)


@BASIC_AUTH
async def test_tokens_rotate() -> None:
    async with SlackPlatform(Settings(token_seconds=0.2)) as slack:
        client, tokens = AsyncWebClient(base_url=slack.api_url), slack.workspace.tokens
        secrets = {"client_id": tokens.client_id, "client_secret": tokens.client_secret}
        first = await client.oauth_v2_access(**secrets, code=tokens.code(slack.home.id))
        await asyncio.sleep(0.25)
        with pytest.raises(SlackApiError) as refused:
            await web_client(slack, str(first["access_token"])).auth_test()
        assert error_of(refused.value) == "token_expired"
        second = await client.oauth_v2_access(
            **secrets, grant_type="refresh_token", refresh_token=first["refresh_token"]
        )
        assert (await web_client(slack, str(second["access_token"])).auth_test())["ok"]


async def test_an_uninstalled_app_is_told_and_then_hears_nothing(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    await slack.uninstall(slack.home)
    await slack.say(ann, slack.dm(ann), "hello?")
    await slack.until(lambda: len(slack.deliveries) == 2)
    assert {each.name for each in slack.deliveries} == {"tokens_revoked", "app_uninstalled"}
    with pytest.raises(SlackApiError) as refused:
        await web_client(slack).auth_test()
    assert error_of(refused.value) == "token_revoked"
