import asyncio
import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.terminal import parley
from tests.e2e.server import Server

PERSONA = """\
schema: parley.persona/v1
name: acme
description: Answers.
instructions: Help people.
schedule:
  - {cron: "0 9 * * 1-5", timezone: Asia/Shanghai, prompt: Post the opening hours., to: "web:lobby"}
  - {cron: "0 9 * * *", prompt: Nobody hears., to: "pigeon:roof"}
"""


def furnish(folder: Path) -> None:
    (folder / "personas").mkdir()
    (folder / "personas" / "acme.yaml").write_text(PERSONA)


def test_jobs_lists_what_is_planned_with_its_next_time_and_zone(tmp_path: Path) -> None:
    furnish(tmp_path)
    result = parley("jobs", cwd=tmp_path)
    assert result.code == 0, result.err
    lines = [line for line in result.out.splitlines() if "acme" in line]
    assert "web:lobby" in lines[0]
    assert lines[0].endswith("09:00  Asia/Shanghai")
    assert "not served" in lines[1]
    whole = json.loads(parley("jobs", "--json", cwd=tmp_path).out)
    assert {"retention", "statistics"} < {job["job"] for job in whole["planned"]}
    assert whole["runs"] == []


def test_a_time_zone_that_is_none_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "parley.yaml").write_text("language: en\ntimezone: Europe/Berlni\n")
    result = parley("jobs", cwd=tmp_path)
    assert result.code == 1
    assert "parley.yaml:2:1" in result.complaint
    assert "Europe/Berlni" in result.complaint


async def test_a_running_parley_posts_on_time_and_its_runs_and_answers_are_counted(tmp_path: Path) -> None:
    server = Server(tmp_path, answer="Hello to you.", delay=0.0)
    persona = tmp_path / "personas" / "free.yaml"
    schedule = 'schedule: [{cron: "* * * * *", prompt: Say hello., to: "web:lobby"}]\n'
    persona.write_text(persona.read_text() + schedule)
    await server.start()
    busy = await asyncio.to_thread(parley, "jobs", cwd=tmp_path)
    await _until_posted(tmp_path / "parley.db")  # the last minute's fire time is made up for at the start
    await server.end(signal.SIGTERM)
    assert busy.code == 1
    assert "parley.db" in busy.complaint
    runs = json.loads(parley("jobs", "--json", cwd=tmp_path).out)["runs"]
    posted = [run for run in runs if run["job"].endswith("web:lobby")]
    assert {run["state"] for run in posted} == {"done"}
    assert "done" in parley("jobs", cwd=tmp_path).out
    counted = json.loads(parley("stats", "--json", cwd=tmp_path).out)
    assert sum(day["turns"] for day in counted) == len(posted)
    assert {(day["persona"], day["channel"]) for day in counted} == {("free", "web")}
    table = parley("stats", cwd=tmp_path).out.splitlines()
    assert table[0].split()[:3] == ["day", "persona", "channel"]
    assert len(table) == 1 + len(counted)


async def _until_posted(file: Path) -> None:
    asked = "SELECT count(*) FROM job_runs WHERE job LIKE '%web:lobby' AND finished_at IS NOT NULL"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        async with asyncio.timeout(30):
            while not database.execute(asked).fetchone()[0]:
                await asyncio.sleep(0.1)
