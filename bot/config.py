"""parley.yaml, environment and flags become one frozen Settings; every value knows where it came from.

Later sources win: default, file, environment, flag. Environment names: `DATABASE_URL`, `REDIS_URL`, the short names in
`SHORT`, and for any setting `PARLEY_` with its path joined by `__` (`PARLEY_ENGINE__SLOTS=4`).
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.cron import local_zone
from bot.errors import ConfigError
from bot.ports import AnyPlugin

FILE = "parley.yaml"
PREFIX = "PARLEY_"
SHORT: Mapping[str, str] = {
    "DATABASE_URL": "database_url",
    "REDIS_URL": "bus.url",
    "PARLEY_MODEL": "engine.model",
    "PARLEY_HOST": "channels.web.host",
    "PARLEY_PORT": "channels.web.port",
    "DISCORD_TOKEN": "channels.discord.token",
    "DISCORD_API_URL": "channels.discord.api_url",
    "DISCORD_GATEWAY_URL": "channels.discord.gateway_url",
    "PARLEY_IDENTITY_SECRET": "channels.web.identity_secret",
    "SLACK_BOT_TOKEN": "channels.slack.bot_token",
    "SLACK_APP_TOKEN": "channels.slack.app_token",
    "SLACK_SIGNING_SECRET": "channels.slack.signing_secret",
    "SLACK_CLIENT_ID": "channels.slack.client_id",
    "SLACK_CLIENT_SECRET": "channels.slack.client_secret",
    "SLACK_ENCRYPTION_KEY": "channels.slack.encryption_key",
    "SLACK_API_URL": "channels.slack.api_url",
}
SECRETS = ("secret", "token", "password", "key")
_QUERY_SECRET = re.compile(rf"([?&][^=&]*(?:{'|'.join(SECRETS)})[^=&]*=)[^&]*", re.IGNORECASE)

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LogSettings(_Strict):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class TurnSettings(_Strict):
    """`at_once` conversations are answered at the same time; a reply may take `deadline_seconds`.

    On exit `/readyz` turns red first; after `drain_seconds` nothing is taken in any more, and `grace_seconds` are
    left to finish what runs. At most `waiting` turns of a conversation and `backlog` conversations wait.
    """

    at_once: int = Field(default=64, ge=1, le=10_000)
    deadline_seconds: float = Field(default=180.0, gt=0, le=86_400)
    drain_seconds: float = Field(default=0.0, ge=0, le=600)
    grace_seconds: float = Field(default=5.0, ge=0, le=600)
    waiting: int = Field(default=5, ge=1, le=100)
    backlog: int = Field(default=2000, ge=1, le=1_000_000)


class RateSettings(_Strict):
    """`burst` messages at once, then `per_minute`."""

    burst: int = Field(ge=1, le=1_000_000)
    per_minute: float = Field(gt=0, le=1_000_000)


class LimitSettings(_Strict):
    """How often a person, a conversation and a tenant (a workspace, a server, a site) may write; null: no limit."""

    user: RateSettings | None = RateSettings(burst=20, per_minute=30)
    conversation: RateSettings | None = RateSettings(burst=40, per_minute=60)
    tenant: RateSettings | None = None


class JobSettings(_Strict):
    """The record of a job's runs is kept for `keep_days`."""

    keep_days: int = Field(default=30, ge=1, le=3650)


class DataSettings(_Strict):
    """Messages are deleted `keep_days` after they were answered, idle conversations likewise; null keeps them.
    A persona's `memory.keep_days` goes before."""

    keep_days: int | None = Field(default=30, ge=2, le=3650)

    @property
    def keep(self) -> timedelta | None:
        return None if self.keep_days is None else timedelta(days=self.keep_days)


class Settings(_Strict):
    """What the core itself reads; the sections of parts (`engine`, `serve`, `channels.*` …) belong to their plugins."""

    database_url: str = "sqlite+aiosqlite:///parley.db"
    personas: Path = Path("personas")
    language: Literal["en", "zh"] = "en"
    timezone: str | None = None
    log: LogSettings = LogSettings()
    turns: TurnSettings = TurnSettings()
    jobs: JobSettings = JobSettings()
    limits: LimitSettings = LimitSettings()
    data: DataSettings = DataSettings()
    store: Mapping[str, Any] = {"use": "sql"}
    bus: Mapping[str, Any] = {"use": "local"}
    engine: Mapping[str, Any] = {"use": "local"}
    serve: Mapping[str, Any] = {"use": "openai"}
    channels: Mapping[str, Mapping[str, Any]] = {"web": {}}

    @field_validator("timezone")
    @classmethod
    def _on_earth(cls, name: str | None) -> str | None:
        local_zone(name)
        return name

    @property
    def zone(self) -> tzinfo:
        """Where days begin and schedules are at home: `timezone`, by default this computer's."""
        return local_zone(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value came from: `flag --port`, `environment PARLEY_PORT`, `parley.yaml:3:5`, `default`."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings with the origin of each value that is not a default, by its dotted path."""

    settings: Settings
    origins: Mapping[str, Origin]

    def origin(self, path: str) -> str:
        found = self.origins.get(path)
        return found.text if found else "default"

    def section(self, path: str, plugin: AnyPlugin) -> Any:
        """The validated settings of a part, for example `engine` or `channels.web`. Raises ConfigError."""
        head, _, rest = path.partition(".")
        section = getattr(self.settings, head)
        section = section.get(rest, {}) if rest else section
        values = {key: value for key, value in section.items() if key != "use"}
        if path == "store":
            values.setdefault("url", self.settings.database_url)
        return _validate(plugin.settings, values, self.origins, prefix=path)


def load(
    file: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, tuple[str, object]] | None = None,
) -> Loaded:
    """Read the settings. `file` None means parley.yaml in the current folder where there is one.

    `flags` maps a dotted path to the flag's name and its value; None values are flags not given.
    Raises ConfigError with the file, line and column, variable or flag at fault.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    path = file or (Path(FILE) if Path(FILE).is_file() else None)
    if path is not None:
        _read(path, values, origins)
    chosen = "channels" in values
    for name, text in (os.environ if environment is None else environment).items():
        target = SHORT.get(name)
        if target is None and name.startswith(PREFIX) and "__" in name:
            target = name.removeprefix(PREFIX).lower().replace("__", ".")
        if target is not None and text:
            _put(values, target, text if _is_text(target) else _scalar(text))
            origins[target] = Origin(text=f"environment {name}")
    for target, (flag, value) in (flags or {}).items():
        if value is not None:
            _put(values, target, value)
            origins[target] = Origin(text=f"flag {flag}")
    if not chosen:  # a variable or flag may have added one beside it
        values.setdefault("channels", {}).setdefault("web", {})
    bus = "redis" if "bus.url" in origins else "local"
    for part, use in (("store", "sql"), ("bus", bus), ("engine", "local"), ("serve", "openai")):
        if isinstance(values.setdefault(part, {}), dict):
            values[part].setdefault("use", use)
    return Loaded(settings=_validate(Settings, values, origins, prefix=""), origins=origins)


def shown(path: str, value: object) -> str:
    """A value as `parley doctor` shows it: secrets and passwords in URLs are hidden."""
    if value is not None and _is_secret(path.rsplit(".", maxsplit=1)[-1]):
        return "••••••"
    text = _QUERY_SECRET.sub(r"\1••••••", str(value))
    scheme, separator, rest = text.partition("://")
    if separator and "@" in rest:
        user, _, host = rest.rpartition("@")
        return f"{scheme}://{user.split(':')[0]}:••••••@{host}"
    return text


def _read(path: Path, values: dict[str, Any], origins: dict[str, Origin]) -> None:
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        document = yaml.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: {error.problem}") from error
    except YAMLError as error:
        raise ConfigError(f"{path}: {error}") from error
    if document is None:
        return
    if not isinstance(document, CommentedMap):
        raise ConfigError(f"{path}:1:1: expected settings as `key: value`, found {type(document).__name__}")
    for target, value, line, column in _leaves(document, ""):
        _put(values, target, value)
        origins[target] = Origin(text=f"{path}:{line + 1}:{column + 1}")


def _leaves(node: CommentedMap, prefix: str) -> Iterator[tuple[str, Any, int, int]]:
    for key, value in node.items():
        target = f"{prefix}{key}"
        line, column = node.lc.key(key)
        if isinstance(value, CommentedMap) and value and not target.endswith(".personas"):
            yield from _leaves(value, target + ".")
        else:
            yield target, _plain(value), line, column


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _is_text(target: str) -> bool:
    """Ids and secrets may look like numbers."""
    name = target.rsplit(".", maxsplit=1)[-1]
    return name.endswith("_id") or _is_secret(name)


def _is_secret(name: str) -> bool:
    """By the words of a setting's name; `key_env` only names a variable."""
    return not name.endswith("_env") and (name.endswith(SECRETS) or not {*SECRETS}.isdisjoint(name.split("_")))


def _scalar(text: str) -> object:
    value = YAML(typ="safe", pure=True).load(text)
    return value if isinstance(value, bool | int | float | list) else text


def _put(values: dict[str, Any], target: str, value: object) -> None:
    *parents, last = target.split(".")
    for name in parents:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            inner = values[name] = {}
        values = inner
    values[last] = value


def _validate(model: type[M], values: Mapping[str, Any], origins: Mapping[str, Origin], *, prefix: str) -> M:
    try:
        return model.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        target = ".".join(str(part) for part in (prefix, *first["loc"]) if part != "")
        origin = next((origins[path].text for path in origins if path == target or path.startswith(target + ".")), None)
        if first["type"] == "extra_forbidden":
            known = sorted(model.model_fields)
            near = get_close_matches(str(first["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            raise ConfigError(f"{origin or 'settings'}: unknown setting {target!r}; {hint}") from error
        given = first.get("input")
        value = f" = {shown(target, given)!r}" if isinstance(given, str | int | float) else ""
        raise ConfigError(f"{origin or 'settings'}: {target}{value}: {first['msg']}") from error
