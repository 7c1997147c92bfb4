"""Live events and memories as bytes: everything comes back as it was, and nothing else is taken for one."""

from collections.abc import Callable
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.types import (
    Delta,
    LiveEvent,
    Memory,
    Source,
    StoredMessage,
    Summary,
    TurnFinished,
    TurnReplaced,
    TurnStarted,
    TurnState,
)
from storage.redis.codec import dump_event, dump_memory, load_event, load_memory

text = st.text(st.characters(), max_size=20)  # surrogates too: what a model or a platform says is data
number = st.integers(min_value=0, max_value=2**53)
zones = st.sampled_from([UTC, timezone(timedelta(hours=8))])
message = st.builds(
    StoredMessage,
    id=text,
    role=st.sampled_from(["system", "user", "assistant"]),
    text=text,
    turn=text,
    at=st.datetimes(timezones=zones),
    author=st.none() | text,
    sources=st.lists(st.builds(Source, title=text, path=text, text=text), max_size=2).map(tuple),
)
event = st.one_of(
    st.builds(TurnStarted, turn=text, attempt=number),
    st.builds(Delta, turn=text, attempt=number, seq=number, text=text),
    st.builds(TurnReplaced, turn=text, attempt=number, seq=number, text=text),
    st.builds(TurnFinished, turn=text, status=st.sampled_from(TurnState), message=message),
)
memory = st.builds(
    Memory,
    version=number,
    messages=st.lists(message, max_size=3).map(tuple),
    summary=st.none() | st.builds(Summary, covers=text, text=text),
    facts=st.dictionaries(text, text, max_size=3),
)


def refuses(load: Callable[[bytes], object], data: bytes) -> bool:
    try:
        load(data)
    except ValueError:
        return True
    return False


@given(event)
def test_every_event_comes_back_as_it_was(event: LiveEvent) -> None:
    assert load_event(dump_event(event)) == event


@given(memory)
def test_every_memory_comes_back_as_it_was(memory: Memory) -> None:
    assert load_memory(dump_memory(memory)) == memory


@given(event, memory, st.data())
def test_what_was_cut_off_is_no_event_and_no_memory(event: LiveEvent, memory: Memory, data: st.DataObject) -> None:
    for dumped, load in ((dump_event(event), load_event), (dump_memory(memory), load_memory)):
        assert refuses(load, dumped[: data.draw(st.integers(0, len(dumped) - 1))])


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"{}",
        b"[]",
        b'["delta","t",1,2]',
        b'["delta","t","1",2,"x"]',
        b'["finished","t","asleep",{}]',
        b"[0,1,[],null,{}]",
        b'[1,"1",[],null,{}]',
        b'["finished","t","done",{}]',
        b"[1,1,[{}],null,{}]",
        b'[1,1,[["id","robot","x","t","2026-03-01",null,[]]],null,{}]',
        b'[1,1,[["id","user","x","t","yesterday",null,[]]],null,{}]',
        b"[1,1,[],[1],{}]",
    ],
)
def test_whatever_else_is_refused_with_one_kind_of_error(odd: bytes) -> None:
    assert refuses(load_event, odd)
    assert refuses(load_memory, odd)
