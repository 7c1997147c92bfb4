import json
import socket
from pathlib import Path

import pytest

from tests.cli.terminal import parley

COMMANDS = (
    "run",
    "chat",
    "ask",
    "init",
    "check",
    "schema",
    "doctor",
    "serve-engine",
    "jobs",
    "stats",
    "model",
    "turns",
    "train",
    "eval",
    "bench",
    "db",
    "export",
    "erase",
)


def test_help_lists_every_command_and_imports_nothing_heavy(tmp_path: Path) -> None:
    result = parley("--help", cwd=tmp_path, environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.code == 0
    for command in COMMANDS:
        assert f"\n  {command}" in result.out
    imported = {line.rpartition("|")[2].strip() for line in result.err.splitlines()}
    assert not imported & {"torch", "transformers", "fastapi", "sqlalchemy", "pydantic", "bm25s", "jieba"}


def test_each_command_s_help_has_an_example(tmp_path: Path) -> None:
    for command in COMMANDS:
        result = parley(command, "--help", cwd=tmp_path)
        assert f"parley {command}" in result.out, command


def test_wrong_usage_exits_2(tmp_path: Path) -> None:
    assert parley("sing", cwd=tmp_path, real=True).code == 2
    assert parley("ask", "--sing", cwd=tmp_path).code == 2
    assert parley("run", "--port", "many", cwd=tmp_path).code == 2


def test_ask_prints_the_answer_alone_so_that_pipes_work(tmp_path: Path) -> None:
    result = parley("ask", "How many months does the warranty last?", cwd=tmp_path, real=True)
    assert (result.code, result.err) == (0, "")
    assert "24" in result.out or "month" in result.out
    assert "\x1b" not in result.out
    assert result.out.endswith("\n")


def test_ask_reads_the_question_from_a_pipe_and_answers_in_its_language(tmp_path: Path) -> None:
    result = parley("ask", "-p", "tutor", cwd=tmp_path, given="什么是光合作用？\n")
    assert result.code == 0
    assert "光" in result.out


def test_a_chat_from_a_pipe_runs_commands_and_messages_in_order(tmp_path: Path) -> None:
    given = "/help\n/sing\nHello?\n/persona tutor\n/persona nobody\n/new\nWhat is a fraction?\n"
    result = parley("chat", "support", cwd=tmp_path, given=given)
    assert result.code == 0, result.err
    assert "/persona NAME" in result.out
    assert "/sing is no command" in result.out
    assert "there is no persona 'nobody'" in result.out
    assert "fraction" in result.out.rpartition("Tutor")[2] or "fraction" in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ask", "-p", "nobody", "Hi"), "there is no persona 'nobody'"),
        (("ask", "-p", "tutr", "Hi"), "tutor"),
        (("ask", "--model", "no/such/folder", "Hi"), "no/such/folder"),
        (("ask", "   "), "there is no question"),
        (("check", "nowhere"), "there is no such file or folder"),
        (("run", "--config", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_exit_1(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = parley(*arguments, cwd=tmp_path)
    assert result.code == 1
    assert says in result.complaint


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = parley("run", "--port", port, cwd=tmp_path)
    assert result.code == 1
    assert port in result.complaint


def test_a_database_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no database " * 1000)
    result = parley("ask", "Hi", cwd=tmp_path, environment={"DATABASE_URL": "sqlite+aiosqlite:///notes"})
    assert result.code == 1
    assert "notes" in result.complaint
    url = "sqlite+aiosqlite:///no/such/p.db"
    missing = parley("ask", "Hi", cwd=tmp_path, environment={"DATABASE_URL": url}, real=True)
    assert missing.code == 1
    assert "no/such" in missing.complaint


def test_init_writes_files_that_pass_check_and_answer(tmp_path: Path) -> None:
    written = parley("init", "mine", cwd=tmp_path, real=True)
    assert written.code == 0, written.err
    mine = tmp_path / "mine"
    checked = parley("check", cwd=mine)
    assert (checked.code, "no errors" in checked.out) == (0, True), checked.out
    asked = parley("ask", "-p", "acme", "When do you open?", cwd=mine)
    assert "9:00" in asked.out, asked.err


def test_init_touches_nothing_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "parley.yaml").write_text("mine")
    result = parley("init", cwd=tmp_path)
    assert result.code == 1
    assert "already there" in result.complaint
    assert [path.name for path in tmp_path.iterdir()] == ["parley.yaml"]
    assert (tmp_path / "parley.yaml").read_text() == "mine"


def test_check_exits_1_and_names_line_column_and_the_near_match(tmp_path: Path) -> None:
    parley("init", cwd=tmp_path)
    persona = tmp_path / "personas" / "acme.yaml"
    persona.write_text(persona.read_text().replace("temperature:", "temprature:"))
    result = parley("check", cwd=tmp_path)
    assert result.code == 1
    assert "acme.yaml:6:21: error[unknown-key]" in result.out
    assert 'did you mean "temperature"?' in result.out
    chinese = parley("check", "--language", "zh", cwd=tmp_path)
    assert chinese.code == 1
    assert "temperature" in chinese.out
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese.out)


def test_schema_is_a_json_schema(tmp_path: Path) -> None:
    schema = json.loads(parley("schema", cwd=tmp_path).out)
    assert "instructions" in schema["properties"]


def test_doctor_names_the_source_of_each_setting_and_hides_secrets(tmp_path: Path) -> None:
    secret = "    identity_secret: a-very-very-very-long-secret-hush-hush\n    identity_audience: me\n"
    (tmp_path / "parley.yaml").write_text("channels:\n  web:\n    port: 0\n" + secret)
    result = parley("doctor", cwd=tmp_path, environment={"PARLEY_ENGINE__SLOTS": "3"})
    assert result.code == 0, result.out + result.err
    lines = {line.split()[0]: line for line in result.out.splitlines() if line.startswith("  ")}
    assert lines["channels.web.port"].endswith("parley.yaml:3:5")
    assert lines["engine.slots"].split()[1:] == ["3", "environment", "PARLEY_ENGINE__SLOTS"]
    assert lines["database_url"].endswith("default")
    assert "hush" not in result.out
    assert lines["database"].split() == ["database", "ok"]
    bad = parley("doctor", cwd=tmp_path, environment={"PARLEY_MODEL": "./nowhere"})
    assert bad.code == 1
    assert "nowhere" in bad.out
