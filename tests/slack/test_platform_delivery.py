"""The stand-in delivers events as Slack does: Bolt's own app and Socket Mode client take them."""

from typing import Any

from tests.slack.clients import bolt_app, listening, socket_mode
from tests.slack.platform import Settings, SlackPlatform

Json = dict[str, Any]


async def test_a_mention_comes_as_two_events_for_one_ts(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message", "app_mention")
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    async with socket_mode(app, slack):
        ts = await slack.say(ann, general, f"{slack.mention} hello")
        await slack.settle()
    assert sorted(body["event"]["type"] for body in bodies) == ["app_mention", "message"]
    assert {body["event"]["ts"] for body in bodies} == {ts}
    assert len({body["event_id"] for body in bodies}) == 2


async def test_a_mention_in_a_direct_message_is_a_message_alone(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message", "app_mention")
    ann = slack.user("Ann")
    async with socket_mode(app, slack):
        await slack.say(ann, slack.dm(ann), f"{slack.mention} hello")
        await slack.settle()
    assert [(body["event"]["type"], body["event"]["channel_type"]) for body in bodies] == [("message", "im")]


async def test_a_channel_without_the_app_is_silent() -> None:
    async with SlackPlatform(Settings(ack_seconds=0.01, retry_after=())) as slack:
        ann = slack.user("Ann")
        await slack.say(ann, slack.channel("elsewhere", [ann], with_app=False), f"{slack.mention} hello")
        await slack.settle()
        assert slack.deliveries == []


async def test_an_app_answers_in_the_thread_and_its_own_message_comes_back_to_it(slack: SlackPlatform) -> None:
    app = bolt_app(slack)

    @app.event("app_mention")
    async def answer(event: Json, say: Any) -> None:
        await say(text="Hi", thread_ts=event["ts"])

    @app.event("message")
    async def ignore() -> None:
        pass

    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    async with socket_mode(app, slack):
        ts = await slack.say(ann, general, f"{slack.mention} hello")
        [hi] = await slack.finished(general, ts)
        await slack.settle()
    assert (hi.text, hi.thread_ts) == ("Hi", ts)
    assert [each.payload["event"].get("bot_id") for each in slack.deliveries].count(slack.home.bot_id) == 1
    assert slack.unknown_calls == []


async def test_edits_and_deletions_tell_the_message_before() -> None:
    async with SlackPlatform() as slack:
        app, bodies = listening(slack, "message")
        ann = slack.user("Ann")
        general = slack.channel("general", [ann])
        async with socket_mode(app, slack):
            ts = await slack.say(ann, general, "one")
            await slack.edit(ts, "two")
            await slack.unfurl(ts)
            await slack.delete(ts)
            await slack.settle()
    events = sorted((body["event"] for body in bodies), key=lambda event: event["event_ts"])
    assert [event.get("subtype") for event in events] == [None, "message_changed", "message_changed", "message_deleted"]
    assert (events[1]["message"]["text"], events[1]["previous_message"]["text"]) == ("two", "one")
    assert events[2]["message"]["text"] == events[2]["previous_message"]["text"]
    assert events[3]["deleted_ts"] == ts


async def test_a_deleted_root_with_replies_leaves_a_tombstone(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    root = await slack.say(ann, general, "root")
    await slack.say(ann, general, "reply", thread=root)
    await slack.delete(root)
    await slack.until(lambda: len(slack.deliveries) >= 3)
    event = slack.deliveries[2].payload["event"]
    assert (event["subtype"], event["message"]["subtype"]) == ("message_changed", "tombstone")


async def test_an_envelope_without_acknowledgement_comes_again_with_the_same_event() -> None:
    settings = Settings(ack_seconds=0.1, retry_after=(0, 0.05))
    async with SlackPlatform(settings) as slack:
        app, bodies = listening(slack, "message")
        slack.faults.lose_ack("message", times=2)
        ann = slack.user("Ann")
        async with socket_mode(app, slack):
            await slack.say(ann, slack.dm(ann), "hello")
            await slack.settle()
        assert [each.attempt for each in slack.deliveries] == [0, 1, 2]
        assert [each.reason for each in slack.deliveries] == [None, "timeout", "timeout"]
        assert [each.acked_at is None for each in slack.deliveries] == [True, True, False]
        assert len(bodies) == 3
        assert len({body["event_id"] for body in bodies}) == 1


async def test_an_app_that_fails_gets_the_event_until_the_last_retry() -> None:
    settings = Settings(ack_seconds=0.1, retry_after=(0, 0.02, 0.02))
    async with SlackPlatform(settings) as slack:
        ann = slack.user("Ann")
        await slack.say(ann, slack.dm(ann), "nobody is there")
        await slack.settle()
        assert [each.failure for each in slack.deliveries] == ["timeout"] * 4


async def test_duplicates_come_in_envelopes_of_their_own(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    slack.faults.duplicate("message", copies=4)
    ann = slack.user("Ann")
    async with socket_mode(app, slack):
        await slack.say(ann, slack.dm(ann), "hello")
        await slack.settle()
    assert len(bodies) == 4
    assert len({body["event_id"] for body in bodies}) == 1


async def test_a_redelivery_comes_though_the_event_was_acknowledged(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    slack.faults.redeliver("message", after=0.05)
    ann = slack.user("Ann")
    async with socket_mode(app, slack):
        await slack.say(ann, slack.dm(ann), "hello")
        await slack.settle()
    assert [each.attempt for each in slack.deliveries] == [0, 1]
    assert len(bodies) == 2


async def test_the_client_reconnects_on_refresh_and_later_messages_arrive(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    ann = slack.user("Ann")
    async with socket_mode(app, slack):
        await slack.disconnect("refresh_requested")
        await slack.say(ann, slack.dm(ann), "hello")
        await slack.settle()
    assert len(bodies) == 1
    assert slack.sockets.opened == 2
    assert slack.deliveries[0].connection == "socket-2"


async def test_the_client_comes_back_after_its_connection_was_cut(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    ann = slack.user("Ann")
    async with socket_mode(app, slack, ping_interval=0.2):
        slack.sockets.abort()
        await slack.say(ann, slack.dm(ann), "hello")
        await slack.settle()
    assert len(bodies) == 1


async def test_a_warning_leaves_the_old_connection_to_the_client(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    ann = slack.user("Ann")
    async with socket_mode(app, slack):
        await slack.disconnect("warning")
        await slack.until(lambda: slack.sockets.opened == 2 and len(slack.sockets.connections) == 1)
        await slack.say(ann, slack.dm(ann), "hello")
        await slack.settle()
    assert len(bodies) == 1


async def test_another_apps_bot_is_told_from_the_app(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    bot = slack.user("Buildbot", is_bot=True)
    general = slack.channel("general", [bot])
    async with socket_mode(app, slack):
        await slack.say(bot, general, "built")
        await slack.settle()
    event = bodies[0]["event"]
    assert event["bot_id"] == bot.bot_id
    assert event["app_id"] != slack.app_id


async def test_the_app_hears_what_its_manifest_subscribes_to() -> None:
    scopes = frozenset({"app_mentions:read", "im:history"})
    settings = Settings(events=frozenset({"app_mention", "message.im", "message.channels"}), scopes=scopes)
    async with SlackPlatform(settings) as slack:
        ann = slack.user("Ann")
        await slack.say(ann, slack.channel("general", [ann]), f"{slack.mention} hello")
        await slack.say(ann, slack.dm(ann), "hello")
        await slack.open_home(ann)
        await slack.until(lambda: len(slack.deliveries) == 2)
        assert [each.name for each in slack.deliveries] == ["app_mention", "message"]


async def test_the_load_is_spread_over_the_connections(slack: SlackPlatform) -> None:
    app, bodies = listening(slack, "message")
    ann = slack.user("Ann")
    async with socket_mode(app, slack), socket_mode(app, slack):
        for number in range(20):
            await slack.say(ann, slack.dm(ann), str(number))
        await slack.settle()
    assert len(bodies) == 20
    assert {each.connection for each in slack.deliveries} == {"socket-1", "socket-2"}
    assert 0 < slack.ack_seconds(50) <= slack.ack_seconds(99)


async def test_a_connection_above_the_limit_is_refused() -> None:
    async with SlackPlatform(Settings(connections=1)) as slack:
        app, _ = listening(slack, "message")
        async with socket_mode(app, slack):
            ticket = await app.client.apps_connections_open(app_token=slack.app_token)
            async with slack.http.ws_connect(ticket["url"]) as second:
                farewell = await second.receive_json()
        assert (farewell["type"], farewell["reason"]) == ("disconnect", "too_many_websockets")


async def test_a_ticket_opens_one_connection(slack: SlackPlatform) -> None:
    ticket = await bolt_app(slack).client.apps_connections_open(app_token=slack.app_token)
    async with slack.http.ws_connect(ticket["url"]) as first:
        hello = await first.receive_json()
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    async with slack.http.get(ticket["url"].replace("ws://", "http://")) as second:
        assert second.status == 404
