"""The way of a visitor: open, ask, follow, read, rate, erase."""

import asyncio
from pathlib import Path

import pytest

from bot.testing import ScriptedEngine
from tests.adapters_web.house import NEW, Reader, serving


async def test_a_question_is_streamed_stored_and_read_back_alike(tmp_path: Path) -> None:
    async with serving(tmp_path, engine="It is 中文 and \U0001f600 done.") as served:
        visitor = await served.visitor()
        accepted = await visitor.say("Hello?")
        assert accepted == {"turn": accepted["turn"], "duplicate": False}
        reader = await visitor.reply(accepted["turn"])
        question, answer = await visitor.messages()
    assert reader.ends == {accepted["turn"]: "done"}
    assert reader.texts[accepted["turn"]] == answer["text"] == "It is 中文 and \U0001f600 done."
    assert (question["role"], question["text"], question["turn"]) == ("user", "Hello?", accepted["turn"])
    assert answer["at"].endswith("Z")
    assert "sources" not in answer


async def test_sources_come_with_the_message(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        visitor = await served.visitor()
        reader = await visitor.reply((await visitor.say("How long?"))["turn"])
        source = {"title": "Returns", "path": "kb/returns.md", "text": "Returns take 30 days."}
        assert (await visitor.messages())[-1]["sources"] == [source]
        assert reader.events[-1].data["message"]["sources"] == [source]


async def test_the_same_client_id_gives_the_same_turn_and_one_message(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        visitor = await served.visitor()
        first, second = await visitor.say("Hi", client_id="x"), await visitor.say("Hi", client_id="x")
        other = await served.visitor()
        elsewhere = await other.say("Hi", client_id="x")
        await visitor.reply(first["turn"])
        assert second == {"turn": first["turn"], "duplicate": True}
        assert elsewhere["duplicate"] is False
        assert [message["role"] for message in await visitor.messages()] == ["user", "assistant"]


async def test_the_persona_card_follows_body_then_header_then_default(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        asked = await served.visitor(locale="zh")
        assert asked.persona["greeting"] == "您好！"
        assert asked.persona["starters"] == [{"label": "问", "prompt": "How?"}]
        header = {"Accept-Language": "fr-CH, zh;q=0.9, en;q=0.8"}
        by_header = (await served.http.post(NEW, json={"persona": "helper"}, headers=header)).json()
        assert by_header["persona"]["title"] == "助手"
        plain = await served.visitor()
        assert {name: plain.persona[name] for name in ("name", "title", "greeting", "disclaimer", "accent")} == {
            "name": "helper",
            "title": "Helper",
            "greeting": "Hello!",
            "disclaimer": "Can be wrong.",
            "accent": "#0f766e",
        }
        cards = (await served.http.get("/api/v1/personas", params={"locale": "zh-CN"})).json()["personas"]
        assert [(card["title"], card["rating_notice"]) for card in cards] == [("助手", "可能用于训练。")]


async def test_waiting_turns_finish_in_order_on_the_same_stream(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=ScriptedEngine("one two three", delay=0.1)) as served:
        visitor = await served.visitor()
        turns = [(await visitor.say(f"q{n}", client_id=f"c{n}"))["turn"] for n in range(3)]
        reader = await visitor.reply(turns[-1])
    assert list(reader.ends) == turns
    assert set(reader.texts.values()) == {"one two three"}


async def test_stop_ends_the_turn_and_keeps_what_was_said(tmp_path: Path) -> None:
    async with serving(tmp_path, engine=ScriptedEngine("word " * 500, delay=0.01)) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("talk"))["turn"]
        reader = Reader()
        async with asyncio.timeout(30), visitor.events() as events:
            async for event in events:
                reader.take(event)
                if event.name == "delta" and len(reader.events) == 5:
                    stopping = await served.http.post(f"/api/v1/turns/{turn}/stop", headers=visitor.auth)
                    assert (stopping.status_code, stopping.json()["turn"]) == (202, turn)
                    asked_at = asyncio.get_running_loop().time()
                if event.name == "turn.finished":
                    took = asyncio.get_running_loop().time() - asked_at
                    break
        assert reader.ends == {turn: "stopped"}
        assert reader.texts[turn] == (await visitor.messages())[-1]["text"]
        assert reader.texts[turn].startswith("word")
        assert took < 1.0


async def test_messages_come_in_pages(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        visitor = await served.visitor()
        for number in range(3):
            await visitor.reply((await visitor.say(f"q{number}", client_id=f"c{number}"))["turn"])
        everything = await visitor.messages()
        url = f"{NEW}/{visitor.id}/messages"
        last = (await served.http.get(url, params={"limit": 2}, headers=visitor.auth)).json()["messages"]
        assert last == everything[-2:]
        params = {"limit": 2, "before": last[0]["id"]}
        earlier = (await served.http.get(url, params=params, headers=visitor.auth)).json()["messages"]
        assert earlier == everything[2:4]


@pytest.mark.parametrize("body", [{"rating": "up"}, {"rating": "down", "comment": "too short"}])
async def test_feedback_is_taken(tmp_path: Path, body: dict[str, str]) -> None:
    async with serving(tmp_path) as served:
        visitor = await served.visitor()
        turn = (await visitor.say("Hi"))["turn"]
        answer = await served.http.post(f"/api/v1/turns/{turn}/feedback", json=body, headers=visitor.auth)
    assert (answer.status_code, answer.content) == (204, b"")


async def test_an_erased_conversation_is_gone_and_its_streams_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        visitor = await served.visitor()
        await visitor.reply((await visitor.say("Hi"))["turn"])
        async with asyncio.timeout(30), visitor.events() as events:
            assert (await anext(events)).name == "turn.finished"
            answer = await served.http.delete(f"{NEW}/{visitor.id}", headers=visitor.auth)
            assert answer.status_code == 204
            assert [event async for event in events] == []
        gone = await served.http.get(f"{NEW}/{visitor.id}/messages", headers=visitor.auth)
    assert gone.status_code == 403
