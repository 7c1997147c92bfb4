"""What is read from Slack's message events."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.inbound import Deleted, Said, parse, without_mention

Json = dict[str, Any]
SAMPLES: dict[str, Json] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("samples/*")
}
BOT = "U0LAN0Z89"
ANN = "U2147483697"


def read(event: Json) -> Said | Deleted | None:
    return parse(event, event_id="Ev1", team="T1", bot_user=BOT)


def event(name: str, **changes: Any) -> Json:
    sample: Json = copy.deepcopy(SAMPLES[name]["event"])
    return sample | changes


def said(event: Json) -> Said:
    found = read(event)
    assert isinstance(found, Said)
    return found


@pytest.mark.parametrize(
    ("name", "direct", "mentions", "in_thread", "thread"),
    [
        ("message_im", True, False, False, None),
        ("app_mention", False, True, False, "1755517523.000005"),
        ("message_thread", False, False, True, "1755517523.000005"),
        ("message_file_share", True, False, False, "1755517610.000100"),
    ],
)
def test_who_said_it_and_where(name: str, direct: bool, mentions: bool, in_thread: bool, thread: str | None) -> None:
    found = said(event(name))
    assert (found.user, found.direct, found.mentions, found.in_thread) == (ANN, direct, mentions, in_thread)
    assert found.conversation.thread == (thread or found.ts)
    assert found.edited is None


def test_every_sample_event_is_read_or_passed_over_and_left_as_it_was() -> None:
    for sample in SAMPLES.values():
        for inner in [sample.get("event")]:
            if inner is not None and inner["type"] in {"message", "app_mention"}:
                before = copy.deepcopy(inner)
                assert read(inner) == read(inner)
                assert inner == before


def test_the_app_does_not_hear_itself_nor_other_bots() -> None:
    assert read(event("message_of_the_app")) is None
    assert read(event("message_im", user=BOT)) is None
    assert read(event("message_im", bot_id="B1")) is None
    assert read(event("app_mention", bot_profile={"id": "B1"})) is None


@pytest.mark.parametrize("subtype", [None, "me_message", "file_share", "thread_broadcast"])
def test_these_are_words_of_a_person(subtype: str | None) -> None:
    assert said(event("message_im", subtype=subtype)).text == event("message_im")["text"]


@pytest.mark.parametrize(
    "subtype",
    ["bot_message", "channel_join", "channel_topic", "message_replied", "assistant_app_thread", "reminder_add"],
)
def test_these_are_no_words_to_the_app(subtype: str) -> None:
    assert read(event("message_im", subtype=subtype)) is None
    changed = event("message_changed")
    changed["message"]["subtype"] = subtype
    assert read(changed) is None


def test_an_edit_tells_the_new_text_and_the_message_it_changes() -> None:
    found = said(event("message_changed"))
    assert found.text == "What is a comet made of?"
    assert found.message_id == "C024BE91L:1755517523.000005"
    assert found.edited == "1755517541.000000"


def test_a_preview_of_a_link_is_no_edit() -> None:
    changed = event("message_changed")
    changed["message"]["text"] = changed["previous_message"]["text"]
    changed["message"]["attachments"] = [{"title": "Example"}]
    assert read(changed) is None


def test_an_edit_of_the_apps_own_message_is_not_heard() -> None:
    changed = event("message_changed")
    changed["message"] |= {"user": BOT, "bot_id": "B1"}
    assert read(changed) is None


@pytest.mark.parametrize("name", ["message_deleted", "message_changed"])
def test_a_deletion_names_the_message_also_where_a_tombstone_stays(name: str) -> None:
    gone = event(name)
    if name == "message_changed":
        gone["message"] |= {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"}
    assert read(gone) == Deleted(tenant="T1", message_id="C024BE91L:1755517523.000005")


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        (f"<@{BOT}> hello", "hello"),
        (f"<@{BOT}|parley>: hello", "hello"),
        (f"<@{BOT}>，你好", "你好"),
        (f"ask <@{BOT}> about <@U1>", "ask about <@U1>"),
        (f"<@{BOT}>\n\n```\n  code\n```", "```\n  code\n```"),
        (f"<@{BOT}>", ""),
        ("no name: here", "no name: here"),
    ],
)
def test_the_name_of_the_app_is_taken_out(text: str, bare: str) -> None:
    assert without_mention(text, BOT) == bare


PARTS = st.sampled_from([None, "", "hello", f"<@{BOT}>", "1755517523.000005", "C1", "D1", "im", "bot_message", ANN])


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["message", "app_mention"]), "channel": st.just("C1"), "ts": st.just("1.0")},
        optional={
            name: PARTS
            for name in (
                "subtype",
                "user",
                "text",
                "thread_ts",
                "channel_type",
                "bot_id",
                "files",
                "event_ts",
                "edited",
            )
            if name not in {"files", "edited"}
        },
    )
)
def test_whatever_is_missing_from_a_message_it_is_read_without_an_error(event: Json) -> None:
    before = copy.deepcopy(event)
    found = read(event)
    assert event == before
    if isinstance(found, Said):
        assert found.user not in {"", BOT}
        assert not event.get("bot_id")
