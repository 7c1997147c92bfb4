"""The stand-in's Web API refuses and remembers messages as Slack does."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.clients import error_of, web_client
from tests.slack.platform import Channel, Settings, SlackPlatform

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}


@pytest.fixture
def general(slack: SlackPlatform) -> Channel:
    return slack.channel("general", [slack.user("Ann")])


async def refusal(slack: SlackPlatform, method: str, **args: Any) -> str:
    """The error's name, by JSON and by form alike."""
    with pytest.raises(SlackApiError) as by_json:
        await web_client(slack).api_call(method, json=args)
    with pytest.raises(SlackApiError) as by_form:
        await web_client(slack).api_call(method, data=args)
    assert error_of(by_json.value) == error_of(by_form.value)
    return error_of(by_json.value)


@pytest.mark.parametrize(("token", "error"), [("xoxb-unknown", "invalid_auth"), ("", "not_authed")])
async def test_a_token_is_needed(slack: SlackPlatform, token: str, error: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        await AsyncWebClient(token=token or None, base_url=slack.api_url).auth_test()
    assert error_of(refused.value) == error


async def test_an_inactive_account_is_refused(slack: SlackPlatform) -> None:
    slack.workspace.tokens.deactivate(slack.bot_token, error="account_inactive")
    assert await refusal(slack, "auth.test") == "account_inactive"


async def test_the_app_token_opens_connections_and_nothing_else(slack: SlackPlatform) -> None:
    with pytest.raises(SlackApiError) as refused:
        await web_client(slack, slack.app_token).auth_test()
    assert error_of(refused.value) == "not_allowed_token_type"
    assert await refusal(slack, "apps.connections.open") == "not_allowed_token_type"


async def test_auth_test_tells_the_team_and_the_bot(slack: SlackPlatform) -> None:
    told = await web_client(slack).auth_test()
    assert (told["team_id"], told["user_id"], told["bot_id"]) == (
        slack.home.id,
        slack.home.bot_user,
        slack.home.bot_id,
    )


async def test_unknown_methods_are_refused_and_recorded(slack: SlackPlatform) -> None:
    assert await refusal(slack, "chat.explode") == "unknown_method"
    assert {call.method for call in slack.unknown_calls} == {"chat.explode"}


async def test_a_message_is_kept_with_its_blocks_metadata_and_flags(slack: SlackPlatform, general: Channel) -> None:
    metadata = {"event_type": "parley_reply", "event_payload": {"turn": "t1"}}
    posted = await web_client(slack).chat_postMessage(
        channel=general.id, text="hello", blocks=[SECTION], metadata=metadata, unfurl_links=False, unfurl_media=False
    )
    [message] = slack.answers(general)
    assert (message.ts, message.blocks, message.metadata) == (posted["ts"], [SECTION], metadata)
    assert (message.unfurl_links, message.unfurl_media) == (False, False)
    assert (slack.calls[-1].method, slack.calls[-1].ok) == ("chat.postMessage", True)


async def test_a_missing_scope_is_named() -> None:
    async with SlackPlatform(Settings(scopes=frozenset({"chat:write"}))) as slack:
        general = slack.channel("general")
        client = web_client(slack)
        await client.chat_postMessage(channel=general.id, text="hello")
        with pytest.raises(SlackApiError) as unread:
            await client.conversations_history(channel=general.id)
        with pytest.raises(SlackApiError) as disguised:
            await client.chat_postMessage(channel=general.id, text="hello", username="Someone")
        assert (error_of(unread.value), unread.value.response["needed"]) == ("missing_scope", "channels:history")
        assert disguised.value.response["needed"] == "chat:write.customize"


async def test_a_reply_to_a_reply_joins_the_thread(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    root = await slack.say(ann, general, "root")
    reply = await slack.say(ann, general, "reply", thread=root)
    await web_client(slack).chat_postMessage(channel=general.id, text="answer", thread_ts=reply)
    assert [message.text for message in slack.messages(general, root)] == ["root", "reply", "answer"]


async def test_metadata_is_shown_only_when_it_is_asked_for(slack: SlackPlatform, general: Channel) -> None:
    client = web_client(slack)
    metadata = {"event_type": "parley_reply", "event_payload": {"turn": "t1"}}
    await client.chat_postMessage(channel=general.id, text="hello", metadata=metadata)
    bare = await client.conversations_history(channel=general.id)
    full = await client.conversations_history(channel=general.id, include_all_metadata=True)
    assert "metadata" not in bare["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


async def test_where_the_app_cannot_write_it_is_told_why(slack: SlackPlatform) -> None:
    outside = slack.channel("outside", with_app=False)
    private = slack.channel("private", private=True, with_app=False)
    archived = slack.channel("archived")
    archived.archived = True
    wanted = {"C0": "channel_not_found", outside.id: "not_in_channel", private.id: "channel_not_found"}
    wanted[archived.id] = "is_archived"
    told = {channel: await refusal(slack, "chat.postMessage", channel=channel, text="hello") for channel in wanted}
    assert told == wanted


async def test_long_text_is_cut_when_posted_and_refused_when_updated(slack: SlackPlatform, general: Channel) -> None:
    posted = await web_client(slack).chat_postMessage(channel=general.id, text="x" * 40_001)
    assert len(slack.answers(general)[0].text) == 40_000
    where = {"channel": general.id, "ts": posted["ts"]}
    assert await refusal(slack, "chat.update", **where, text="x" * 4_001) == "msg_too_long"
    assert await refusal(slack, "chat.update", **where, markdown_text="x" * 12_001) == "msg_too_long"
    assert await refusal(slack, "chat.postMessage", channel=general.id) == "no_text"


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([SECTION] * 51, "invalid_blocks"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}], "invalid_blocks"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": ""}}], "invalid_blocks"),
        ([{"type": "input"}], "invalid_blocks"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_900}}] * 5, "msg_blocks_too_long"),
        ([{"type": "markdown", "text": "x" * 12_001}], "msg_blocks_too_long"),
        (["no block"], "invalid_blocks_format"),
    ],
)
async def test_blocks_beyond_block_kits_limits_are_refused(
    slack: SlackPlatform, general: Channel, blocks: list[Any], error: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        await web_client(slack).api_call("chat.postMessage", json={"channel": general.id, "blocks": blocks})
    assert error_of(refused.value) == error
    assert slack.answers(general) == []


async def test_only_the_apps_own_messages_can_be_changed(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    ts = await slack.say(ann, general, "mine")
    assert await refusal(slack, "chat.update", channel=general.id, ts=ts, text="yours") == "cant_update_message"
    assert await refusal(slack, "chat.delete", channel=general.id, ts=ts) == "cant_delete_message"
    assert await refusal(slack, "chat.update", channel=general.id, ts="1.0", text="x") == "message_not_found"


async def test_updates_are_counted_and_deletions_remove(slack: SlackPlatform, general: Channel) -> None:
    client = web_client(slack)
    ts = str((await client.chat_postMessage(channel=general.id, text="one"))["ts"])
    metadata = {"event_type": "parley_reply", "event_payload": {"turn": "t1"}}
    await client.chat_update(channel=general.id, ts=ts, text="two", blocks=[SECTION], metadata=metadata)
    await client.chat_update(channel=general.id, ts=ts, text="three")
    [message] = slack.answers(general)
    assert (message.text, message.edits, message.blocks, message.metadata) == ("three", 2, [], metadata)
    await client.chat_update(channel=general.id, ts=ts, text="four", metadata={})
    assert message.metadata is None
    await client.chat_delete(channel=general.id, ts=ts)
    assert slack.answers(general) == []


async def test_an_ephemeral_message_is_for_one_members_eyes(slack: SlackPlatform) -> None:
    ann, bob = slack.user("Ann"), slack.user("Bob")
    general = slack.channel("general", [ann])
    await web_client(slack).chat_postEphemeral(channel=general.id, user=ann.id, text="psst")
    assert [message.text for message in slack.ephemerals(ann)] == ["psst"]
    assert slack.messages(general) == []
    told = await refusal(slack, "chat.postEphemeral", channel=general.id, user=bob.id, text="psst")
    assert told == "user_not_in_channel"


async def test_replies_come_page_by_page_with_the_root_first(slack: SlackPlatform) -> None:
    client, ann = web_client(slack), slack.user("Ann")
    general = slack.channel("general", [ann])
    root = await slack.say(ann, general, "root")
    sent = [root, *[await slack.say(ann, general, str(number), thread=root) for number in range(5)]]
    pages = [
        [message["ts"] for message in page["messages"]]
        async for page in await client.conversations_replies(channel=general.id, ts=root, limit=2)
    ]
    assert pages == [sent[:2], sent[2:4], sent[4:]]
    later = await client.conversations_replies(channel=general.id, ts=root, oldest=sent[3])
    assert [message["ts"] for message in later["messages"]] == [root, sent[4], sent[5]]
    including = await client.conversations_replies(channel=general.id, ts=root, oldest=sent[3], inclusive=True)
    assert [message["ts"] for message in including["messages"]] == [root, sent[3], sent[4], sent[5]]
    assert await refusal(slack, "conversations.replies", channel=general.id, ts="1.0") == "thread_not_found"


async def test_history_is_newest_first_without_replies(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    one = await slack.say(ann, general, "one")
    await slack.say(ann, general, "reply", thread=one)
    two = await slack.say(ann, general, "two")
    history = await web_client(slack).conversations_history(channel=general.id)
    assert [message["ts"] for message in history["messages"]] == [two, one]
    assert history["messages"][1]["reply_count"] == 1


async def test_people_and_channels_can_be_looked_up(slack: SlackPlatform) -> None:
    client = web_client(slack)
    ann = slack.user("Ann", admin=True, locale="zh-CN", tz="Asia/Shanghai")
    general = slack.channel("general", [ann])
    told = (await client.users_info(user=ann.id, include_locale=True))["user"]
    assert (told["locale"], told["tz"], told["is_admin"], told["is_bot"]) == ("zh-CN", "Asia/Shanghai", True, False)
    assert (await client.conversations_info(channel=general.id))["channel"]["name"] == "general"
    assert (await client.conversations_open(users=ann.id))["channel"]["id"] == slack.dm(ann).id
    assert ann.id in (await client.conversations_members(channel=general.id))["members"]
    assert await refusal(slack, "users.info", user="U0") == "user_not_found"


async def test_reactions_are_added_and_removed_once(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    where = {"channel": general.id, "timestamp": await slack.say(ann, general, "hello"), "name": "eyes"}
    client = web_client(slack)
    await client.reactions_add(**where)
    assert slack.messages(general)[0].reactions == {"eyes": [slack.home.bot_user]}
    assert await refusal(slack, "reactions.add", **where) == "already_reacted"
    await client.reactions_remove(**where)
    assert await refusal(slack, "reactions.remove", **where) == "no_reaction"


async def test_a_file_goes_up_by_the_external_flow_and_comes_down_with_the_token(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    general = slack.channel("general", [ann])
    root = await slack.say(ann, general, "root")
    await web_client(slack).files_upload_v2(
        channel=general.id, thread_ts=root, filename="answer.md", content="# 你好", initial_comment="here"
    )
    [message] = slack.answers(general, root)
    assert (message.text, slack.workspace.files[message.files[0]].content) == ("here", "# 你好".encode())
    shown = (await web_client(slack).files_info(file=message.files[0]))["file"]
    url = shown["url_private_download"]
    async with slack.http.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"}) as answer:
        assert await answer.text() == "# 你好"
    async with slack.http.get(url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")


async def test_a_file_from_a_person_comes_with_the_message(slack: SlackPlatform) -> None:
    ann = slack.user("Ann")
    await slack.say(ann, slack.dm(ann), "read this", files=[("notes.txt", b"notes")])
    await slack.until(lambda: slack.deliveries)
    event = slack.deliveries[0].payload["event"]
    assert (event["subtype"], event["files"][0]["name"]) == ("file_share", "notes.txt")


async def test_limits_are_enforced_where_they_are_wanted() -> None:
    async with SlackPlatform(Settings(enforce_limits=True, echo=False)) as slack:
        general, other = slack.channel("general"), slack.channel("other")
        client = web_client(slack)
        await client.chat_postMessage(channel=general.id, text="one")
        await client.chat_postMessage(channel=other.id, text="elsewhere")
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel=general.id, text="two")
        assert (refused.value.response.status_code, error_of(refused.value)) == (429, "ratelimited")
        assert refused.value.response.headers["Retry-After"] == "1"
        ts = slack.answers(general)[0].ts
        for number in range(50):
            await client.chat_update(channel=general.id, ts=ts, text=str(number))
        with pytest.raises(SlackApiError):
            await client.chat_update(channel=general.id, ts=ts, text="too many")
        assert slack.answers(general)[0].text == "49"


async def test_history_can_be_throttled_to_one_call_of_fifteen_messages() -> None:
    async with SlackPlatform(Settings(throttle_history=True, echo=False)) as slack:
        ann = slack.user("Ann")
        general = slack.channel("general", [ann], with_app=True)
        for number in range(20):
            await slack.say(ann, general, str(number))
        client = web_client(slack)
        assert len((await client.conversations_history(channel=general.id, limit=100))["messages"]) == 15
        with pytest.raises(SlackApiError) as refused:
            await client.conversations_history(channel=general.id)
        assert refused.value.response.status_code == 429
