"""The catalog follows its files, and a broken one never takes a persona away."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import UnknownPersona
from bot.personas import Catalog, Problem
from bot.ports import Personas
from tests.personas.house import HEAD, write


class House:
    def __init__(self, folder: Path, *more: Path, builtin: bool = False) -> None:
        self.folder = folder
        self.heard: list[Problem] = []
        folders = (folder, *more)
        if builtin:
            self.catalog = Catalog(folders, on_problem=self.heard.append)
        else:
            self.catalog = Catalog(folders, on_problem=self.heard.append, builtin=None)

    @property
    def names(self) -> list[str]:
        return [persona.name for persona in self.catalog.all()]

    def title(self, name: str = "acme") -> str:
        return self.catalog.get(name).title.pick(None)


@pytest.fixture
def house(tmp_path: Path) -> House:
    (tmp_path / "personas").mkdir()
    return House(tmp_path / "personas")


def test_personas_of_the_folder_stand_before_the_built_in_ones(tmp_path: Path) -> None:
    write(tmp_path, HEAD.replace("acme", "zoo"), name="zoo.yaml")
    write(tmp_path, HEAD.replace("acme", "tutor") + "title: Mine\n", name="tutor.yaml")
    house = House(tmp_path, builtin=True)
    assert house.catalog.load()
    assert house.names == ["tutor", "zoo", "health", "storyteller", "support", "writer"]
    assert house.title("tutor") == "Mine"
    (tmp_path / "tutor.yaml").unlink()
    assert house.catalog.load()
    assert house.title("tutor") != "Mine"
    port: Personas = house.catalog
    assert port.get("zoo").name == "zoo"


def test_an_unknown_persona_is_named_with_the_nearest(house: House) -> None:
    write(house.folder, HEAD)
    house.catalog.load()
    with pytest.raises(UnknownPersona, match="did you mean 'acme'"):
        house.catalog.get("acne")
    with pytest.raises(UnknownPersona, match="there are: acme"):
        house.catalog.get("x" * 10_000)


def test_a_broken_file_is_reported_once_and_the_last_good_version_answers(house: House) -> None:
    write(house.folder, HEAD + "title: Good\n")
    write(house.folder, HEAD.replace("acme", "other"), name="other.yaml")
    house.catalog.load()
    write(house.folder, HEAD + "title: 5\n")
    assert not house.catalog.load()
    assert not house.catalog.load()
    assert house.title() == "Good"
    assert house.names == ["acme", "other"]
    assert [problem.code for problem in house.heard] == ["wrong-type"]
    assert house.catalog.problems == tuple(house.heard)
    write(house.folder, HEAD + "title: Better\n")
    assert house.catalog.load()
    assert house.title() == "Better"
    assert house.catalog.problems == ()


def test_a_file_that_never_was_good_does_not_answer(house: House) -> None:
    write(house.folder, "nonsense")
    house.catalog.load()
    assert house.names == []
    assert len(house.heard) == 1


def test_a_fault_that_only_time_mends_is_seen_again(house: House) -> None:
    write(house.folder, HEAD + "knowledge: [{source: kb}]\n")
    house.catalog.load()
    assert house.names == []
    (house.folder / "kb").mkdir()
    house.catalog.load()
    assert house.names == ["acme"]
    (house.folder / "kb").rmdir()
    house.catalog.load()
    assert [problem.code for problem in house.heard] == ["missing-path", "missing-path"]
    assert house.names == ["acme"]


def test_two_files_of_one_name_are_told_and_the_first_answers(house: House, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    write(house.folder, HEAD + "title: First\n")
    write(house.folder, HEAD + "title: Second\n", name="acme.yml")
    write(tmp_path / "more", HEAD + "title: Third\n")
    both = House(house.folder, tmp_path / "more")
    both.catalog.load()
    assert both.title() == "First"
    assert [problem.code for problem in both.heard] == ["same-name", "same-name"]


def test_a_folder_that_vanishes_takes_no_persona_away(house: House) -> None:
    write(house.folder, HEAD)
    house.catalog.load()
    shutil.rmtree(house.folder)
    house.catalog.load()
    assert house.names == ["acme"]
    assert {problem.code for problem in house.heard} == {"unreadable"}


class Watch:
    """Counts the changes it is told, and waits for what should come true."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1
        self.told.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0.02)

    async def next(self) -> None:
        async with asyncio.timeout(30):
            await self.told.wait()
        self.told.clear()


async def test_edits_additions_and_removals_are_followed(house: House) -> None:
    path = write(house.folder, HEAD + "title: One\n")
    house.catalog.load()
    watch = Watch()
    async with house.catalog.watching(watch):
        await asyncio.sleep(0.3)
        write(house.folder, HEAD + "title: Two\n")
        await watch.next()
        assert house.title() == "Two"
        held = house.catalog.get("acme")

        write(house.folder, HEAD + "titel: Three\n")
        await watch.until(lambda: bool(house.heard))
        assert house.title() == "Two"
        assert house.catalog.get("acme") is held

        write(house.folder, HEAD + "title: Four\n", name="next.tmp").replace(path)
        await watch.next()
        assert house.title() == "Four"
        assert held.title.pick(None) == "Two"

        write(house.folder, HEAD.replace("acme", "new"), name="new.yaml")
        await watch.next()
        assert house.names == ["acme", "new"]

        path.unlink()
        await watch.next()
        assert house.names == ["new"]


async def test_a_change_of_the_knowledge_is_told(house: House) -> None:
    (house.folder / "kb").mkdir()
    write(house.folder, HEAD + "knowledge: [{source: kb}]\n")
    house.catalog.load()
    watch = Watch()
    async with house.catalog.watching(watch):
        await asyncio.sleep(0.3)
        write(house.folder / "kb", "- {question: a, answer: b}\n", name="questions.yaml")
        await watch.next()
        assert house.heard == []


async def test_a_folder_made_later_or_anew_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.personas.watching.LOOK_EVERY", 0.2)
    folder = tmp_path / "later"
    house = House(folder)
    house.catalog.load()
    async with house.catalog.watching(watch := Watch()):
        for title in ("One", "Two"):
            folder.mkdir()
            write(folder, HEAD + f"title: {title}\n")
            await watch.until(lambda: house.names == ["acme"] and house.title() == title)  # noqa: B023
            await asyncio.sleep(0.6)
            before = watch.count
            write(folder, "A document of the knowledge.", name="notes.md")
            await watch.until(lambda: watch.count > before)  # noqa: B023
            shutil.rmtree(folder)


async def test_an_error_of_the_listener_ends_the_watching_loudly(house: House) -> None:
    async def fail() -> None:
        raise OSError("no disk")

    async def watch() -> None:
        async with house.catalog.watching(fail):
            await asyncio.sleep(0.3)
            write(house.folder, HEAD)
            await asyncio.sleep(15)

    house.catalog.load()
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await watch()
