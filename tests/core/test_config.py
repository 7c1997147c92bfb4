from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from bot.config import Loaded, load, shown
from bot.errors import ConfigError
from bot.plugins import find
from bot.ports import Plugin


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    model: str = "starter"
    slots: int = 8
    folder: Path = Path()
    origins: tuple[str, ...] = ()
    secret: SecretStr | None = None


PLUGIN: Plugin[Part, None] = Plugin(settings=Part, open=None)  # type: ignore[arg-type] # never opened here


def read(
    text: str,
    tmp_path: Path,
    environment: Mapping[str, str] | None = None,
    *,
    flags: Mapping[str, tuple[str, object]] | None = None,
) -> Loaded:
    file = tmp_path / "parley.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment=environment or {}, flags=flags)


def test_without_a_file_the_defaults_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = load(environment={})
    assert loaded.settings.database_url == "sqlite+aiosqlite:///parley.db"
    assert loaded.origin("database_url") == "default"
    assert loaded.section("engine", PLUGIN).model == "starter"


def test_later_sources_win_and_each_value_knows_its_source(tmp_path: Path) -> None:
    text = "engine:\n  model: from-file\n  slots: 2\n  folder: x\ndatabase_url: sqlite+aiosqlite:///file.db\n"
    environment = {"PARLEY_MODEL": "from-environment", "PARLEY_ENGINE__SLOTS": "3"}
    loaded = read(text, tmp_path, environment, flags={"engine.model": ("--model", "from-flag")})
    part = loaded.section("engine", PLUGIN)
    assert (part.model, part.slots, part.folder) == ("from-flag", 3, Path("x"))
    assert loaded.origin("engine.model") == "flag --model"
    assert loaded.origin("engine.slots") == "environment PARLEY_ENGINE__SLOTS"
    assert loaded.origin("engine.folder") == f"{tmp_path / 'parley.yaml'}:4:3"
    assert loaded.origin("engine.origins") == "default"


def test_a_flag_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    loaded = read("engine: {model: mine}\n", tmp_path, flags={"engine.model": ("--model", None)})
    assert loaded.section("engine", PLUGIN).model == "mine"


def test_lists_and_secrets_of_the_file_reach_the_part(tmp_path: Path) -> None:
    loaded = read("channels:\n  web: {origins: ['https://a.example'], secret: s3cret}\n", tmp_path)
    part = loaded.section("channels.web", PLUGIN)
    assert part.origins == ("https://a.example",)
    assert part.secret.get_secret_value() == "s3cret"


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("databse_url: x\n", ":1:1", "did you mean 'database_url'?"),
        ("turns:\n  at_once: many\n", ":2:3", "turns.at_once"),
        ("turns:\n  at_once: 0\n", ":2:3", "greater than or equal to 1"),
        ("- a\n", ":1:1", "key: value"),
        ("a: [1\n", ":", "expected"),
        ("language: en\nlanguage: zh\n", ":", "duplicate"),
    ],
)
def test_a_fault_names_file_line_and_column(tmp_path: Path, text: str, where: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, tmp_path)
    assert f"parley.yaml{where}" in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fault_in_a_part_names_its_source(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"environment PARLEY_ENGINE__SLOTS: engine\.slots = 'lots'"):
        read("", tmp_path, {"PARLEY_ENGINE__SLOTS": "lots"}).section("engine", PLUGIN)
    with pytest.raises(ConfigError, match=r"parley\.yaml:1:10: unknown setting 'engine\.slot'; did you mean 'slots'"):
        read("engine: {slot: 3}\n", tmp_path).section("engine", PLUGIN)


def test_a_fault_of_a_whole_section_never_shows_the_secrets_in_it(tmp_path: Path) -> None:
    class Pair(Part):
        @model_validator(mode="after")
        def _whole(self) -> "Pair":
            raise ValueError("set both or none")

    plugin: Plugin[Pair, None] = Plugin(settings=Pair, open=None)  # type: ignore[arg-type] # never opened here
    with pytest.raises(ConfigError, match="set both or none") as caught:
        read("engine: {secret: hunter2}\n", tmp_path).section("engine", plugin)
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nowhere.yaml", environment={})


def test_secrets_are_never_shown() -> None:
    assert "hunter2" not in shown("channels.web.identity_secret", "hunter2")
    assert "hunter2" not in shown("database_url", "postgresql+psycopg://me:hunter2@db/parley")
    assert shown("database_url", "sqlite+aiosqlite:///parley.db") == "sqlite+aiosqlite:///parley.db"
    assert shown("channels.web.identity_secret", None) == "None"
    assert "hunter2" not in shown("channels.mine.apikey", "hunter2")
    assert shown("engine.key_env", "FLEET_KEY") == "FLEET_KEY"
    assert shown("engine.tokenizer", "models/qwen") == "models/qwen"
    assert shown("bus.url", "redis://:hunter2@cache:6379/0") == "redis://:••••••@cache:6379/0"
    assert "hunter2" not in shown("bus.url", "rediss://cache:6379/0?ssl_cert_reqs=none&Password=hunter2&db=1")


def test_a_redis_url_makes_replicas_share_through_redis_unless_told_otherwise(tmp_path: Path) -> None:
    assert load(environment={}).settings.bus == {"use": "local"}
    environment = {"REDIS_URL": "redis://cache:6379/0"}
    loaded = read("bus: {prefix: shop}\n", tmp_path, environment)
    assert loaded.settings.bus == {"use": "redis", "prefix": "shop", "url": "redis://cache:6379/0"}
    assert loaded.origin("bus.url") == "environment REDIS_URL"
    assert read("bus: {use: mine}\n", tmp_path, environment).settings.bus["use"] == "mine"
    assert read("bus: {url: 'redis://cache'}\n", tmp_path).settings.bus["use"] == "redis"


def test_a_redis_url_with_a_fault_is_refused_without_its_password(tmp_path: Path) -> None:
    plugin = find("parley.buses", "redis")
    for url in ("http://:hunter2@cache", "redis://cache?password=hunter2"):
        with pytest.raises(ConfigError, match=r"environment REDIS_URL: bus\.url") as caught:
            read("", tmp_path, {"REDIS_URL": url}).section("bus", plugin)
        assert "hunter2" not in str(caught.value)


def test_data_is_kept_for_30_days_unless_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "parley.yaml"
    file.write_text("data: {keep_days: 7}\n")
    assert load(file, environment={}).settings.data.keep == timedelta(days=7)
    file.write_text("language: en\n")
    assert load(file, environment={}).settings.data.keep == timedelta(days=30)
    file.write_text("data: {keep_days: null}\n")
    assert load(file, environment={}).settings.data.keep is None
    file.write_text("data: {keep_days: 1}\n")
    with pytest.raises(ConfigError, match=r"data\.keep_days"):
        load(file, environment={})
