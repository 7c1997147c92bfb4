import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.knowledge import Library, Limits, documents
from bot.knowledge.passages import Draft
from bot.types import KnowledgeSource, Persona
from tests.knowledge.conftest import make_persona, write_shop


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("How many days do I have to return an item?", "Return period"),
        ("what does it cost to send it back", "Cost of a return"),
        ("How long is the warranty on a lamp?", "Warranty on lamps"),
        ("waranty for umbrela", "Warranty on umbrellas"),
        ("What does standard shipping cost?", "Standard delivery"),
        ("do you ship overseas", "Delivery abroad"),
        ("Can I pay by credit card?", "Which ways to pay do you accept?"),
        ("are you open on sunday", "When is the shop open?"),
        ("收到货后几天可以退货？", "退货期限"),
        ("台灯的保修期是多久？", "台灯的保修"),
        ("雨伞坏了能保修吗", "雨伞的保修"),
        ("退货的运费是多少", "退货运费"),
    ],
)
async def test_a_question_finds_the_passage_that_answers_it(shop: Path, question: str, heading: str) -> None:
    passages = await Library().search(make_persona(shop), question)
    assert passages[0].heading[-1] == heading
    assert list(passages) == sorted(passages, key=lambda each: -each.score)
    assert all(0 < each.score <= 1 for each in passages)


@pytest.mark.parametrize(
    "question",
    [
        "Who won the world cup?",
        "What is the capital of France?",
        "How do I cook rice?",
        "original recipe of tomato soup",
        "世界杯谁赢了",
        "法国的首都是哪里",
        "?!",
        " ",
    ],
)
async def test_a_question_from_another_world_finds_nothing(shop: Path, question: str) -> None:
    assert await Library().search(make_persona(shop), question) == ()


async def test_passages_name_their_file_under_the_label(shop: Path) -> None:
    (first, *_) = await Library().search(make_persona(shop), "How long is the warranty on umbrellas?")
    assert first.path == "kb/shop/en/warranty.md"
    assert first.id == "kb/shop/en/warranty.md#2"
    single = KnowledgeSource(path=shop / "en" / "hours.csv", label="kb/hours.csv")
    (only,) = await Library().search(make_persona(None, knowledge=(single,)), "When is the shop open?")
    assert (only.path, only.id) == ("kb/hours.csv", "kb/hours.csv#1")


async def test_the_questions_language_is_preferred(shop: Path) -> None:
    library = Library()
    english = await library.search(make_persona(shop), "warranty on umbrellas")
    chinese = await library.search(make_persona(shop), "雨伞的保修期")
    assert {each.path.split("/")[2] for each in english} == {"en"}
    assert {each.path.split("/")[2] for each in chinese} == {"zh"}


async def test_the_other_language_helps_out_where_the_questions_own_has_nothing(tmp_path: Path) -> None:
    (tmp_path / "en.md").write_text("# Bulbs\nThe E27 bulb fits every lamp.")
    assert (await Library().search(make_persona(tmp_path), "E27 怎么用？"))[0].path == "kb/shop/en.md"
    (tmp_path / "zh.md").write_text("# 灯泡\nE27 灯泡适合所有台灯。")
    assert [each.path for each in await Library().search(make_persona(tmp_path), "E27 怎么用？")] == ["kb/shop/zh.md"]


async def test_top_k_and_min_score_bound_what_a_source_brings(shop: Path) -> None:
    library = Library()

    async def found(**bounds: float) -> int:
        source = KnowledgeSource(path=shop, label="kb", **bounds)  # type: ignore[arg-type]
        return len(await library.search(make_persona(None, knowledge=(source,)), "delivery"))

    assert await found(top_k=5) == 4
    assert await found(top_k=1) == 1
    assert await found(top_k=5, min_score=1.01) == 0


async def test_an_edit_counts_from_the_next_question_on(shop: Path) -> None:
    library, persona = Library(look_again=0), make_persona(shop)
    assert "24 months" in (await library.search(persona, "warranty on lamps"))[0].text
    path = shop / "en" / "warranty.md"
    path.write_text(path.read_text().replace("24 months", "36 months"))
    assert "36 months" in (await library.search(persona, "warranty on lamps"))[0].text
    path.unlink()
    assert await library.search(persona, "warranty on lamps") == ()


async def test_only_changed_files_are_read_again(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noting(name: str, data: bytes) -> list[Draft]:
        read.append(name)
        return documents.read(name, data)

    monkeypatch.setattr("bot.knowledge.shelf.read", noting)
    library, persona = Library(look_again=0), make_persona(shop)
    first = await library.refresh([persona])
    assert len(first.read) == len(read) == 7
    read.clear()
    (shop / "en" / "hours.csv").touch()
    assert (await library.refresh([persona])).read == ()
    (shop / "en" / "delivery.md").write_text("# Delivery\nWe deliver by bicycle.")
    again = await library.refresh([persona])
    assert again.read == ("kb/shop/en/delivery.md",)
    assert read == ["delivery.md"]
    (shop / "en" / "delivery.md").unlink()
    assert (await library.refresh([persona])).gone == ("kb/shop/en/delivery.md",)
    assert read == ["delivery.md"]


async def test_a_bad_file_is_reported_once_and_the_others_answer(
    shop: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "bad.yaml").write_text("- {question: x}")
    (shop / "latin.md").write_bytes(b"caf\xe9")
    library, persona = Library(look_again=0), make_persona(shop)
    report = await library.refresh([persona])
    assert [(each.path, each.reason[:12]) for each in report.problems] == [
        ("kb/shop/bad.yaml", "line 1: an e"),
        ("kb/shop/latin.md", "not UTF-8: b"),
    ]
    said = capsys.readouterr().out + caplog.text
    assert said.count("kb/shop/latin.md") == 1
    assert await library.search(persona, "warranty on lamps")
    await library.refresh([persona])
    assert "latin.md" not in capsys.readouterr().out
    (shop / "bad.yaml").write_text("- {question: What is new?, answer: Kites are new.}")
    assert len((await library.refresh([persona])).problems) == 1
    assert "Kites" in (await library.search(persona, "are there kites"))[0].text


async def test_a_missing_folder_is_a_problem_and_finds_nothing(tmp_path: Path) -> None:
    library, persona = Library(), make_persona(tmp_path / "none")
    (problem,) = (await library.refresh([persona])).problems
    assert str(problem).startswith("kb/shop: cannot be read")
    assert await library.search(persona, "anything") == ()


async def test_time_limits_leave_out_the_rest(shop: Path) -> None:
    report = await Library(limits=Limits(seconds=-1)).refresh([make_persona(shop)])
    assert len(report.problems) == 7
    assert "took more than" in report.problems[0].reason


async def test_sources_of_gone_personas_are_dropped(shop: Path, tmp_path: Path) -> None:
    library = Library()
    other = make_persona(write_shop(tmp_path / "other"))
    await library.refresh([make_persona(shop), other])
    assert (await library.refresh([other])).read == ()
    assert len((await library.refresh([make_persona(shop), other])).read) == 7


async def test_many_searches_at_once_agree(shop: Path) -> None:
    library, persona = Library(look_again=0), make_persona(shop)
    found = await asyncio.gather(*(library.search(persona, "warranty on lamps") for _ in range(20)))
    assert len({each[0].id for each in found}) == 1


async def test_indexing_leaves_the_event_loop_free(tmp_path: Path, persona: Callable[..., Persona]) -> None:
    for number in range(40):
        text = "\n\n".join(f"# Part {n}\nThe {n}th of {number} lamps is made of glass and paper." for n in range(25))
        (tmp_path / f"{number}.md").write_text(text)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - before)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    began = time.perf_counter()
    await Library().refresh([persona(tmp_path)])
    took = time.perf_counter() - began
    watching.cancel()
    assert longest < max(0.1, took / 3)


async def test_the_chinese_dictionary_is_loaded_before_the_guard_needs_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Lamps\nThe warranty on lamps is 24 months.")
    code = f"""
import asyncio, pathlib
from bot.knowledge import Library, chinese
from tests.knowledge.conftest import make_persona

async def main() -> None:
    library, persona = Library(), make_persona(pathlib.Path({str(tmp_path)!r}))
    passages = await library.search(persona, "warranty on lamps")
    assert chinese._load.cache_info().currsize == 1
    assert passages
    english = make_persona(pathlib.Path({str(tmp_path)!r}), languages=("en",))
    assert await library.search(english, "warranty on lamps")

asyncio.run(main())
"""
    done = await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", code)
    assert await done.wait() == 0
