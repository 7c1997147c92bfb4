"""The compose file for several replicas: what must hold of it whatever else changes."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from adapters.shared.serving import GRACE_SECONDS
from bot.config import load

TREE = Path(__file__).parents[2]
COMPOSE = TREE / "docker" / "replicas.yaml"


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(COMPOSE.read_text())["services"]
    return found


def environment(services: dict[str, dict[str, Any]], **given: str) -> dict[str, str]:
    """The environment of a replica as compose would make it. A variable that must be set and is not raises KeyError."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[3]
        return given.get(name, default) if match[2] == ":-" else given[name]

    texts: dict[str, str] = services["parley"]["environment"]
    return {name: re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", value, text) for name, text in texts.items()}


def test_nothing_starts_without_a_password_of_ones_own(services: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD"):
        environment(services)
    for line in COMPOSE.read_text().splitlines():
        assert "POSTGRES_PASSWORD" not in line or "${POSTGRES_PASSWORD:?" in line or line.startswith("#"), line
    assert "/docker/.env" in (TREE / ".gitignore").read_text().splitlines()


def test_every_service_runs_without_rights_on_a_root_that_is_read_only(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        hardened = (service["read_only"], service["cap_drop"], service["security_opt"])
        assert hardened == (True, ["ALL"], ["no-new-privileges:true"]), name
        assert "build" in service or service["user"] not in {"root", "0"}, name


def test_images_are_pinned_to_a_version(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert re.search(r":\d+\.?\d*", service["image"]), name


def test_only_the_proxy_is_published_and_on_loopback_alone(services: dict[str, dict[str, Any]]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert list(published) == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in published["proxy"])
    networks = YAML(typ="safe", pure=True).load(COMPOSE.read_text())["networks"]
    assert networks["back"]["internal"] is True
    assert [services[name]["networks"] for name in ("postgres", "redis")] == [["back"], ["back"]]


def test_replicas_start_once_the_database_is_migrated_and_do_not_migrate_it_themselves(
    services: dict[str, dict[str, Any]],
) -> None:
    parley = services["parley"]
    assert parley["deploy"]["replicas"] >= 2
    assert parley["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert services["migrate"]["command"] == ["db", "upgrade"]
    assert parley["environment"]["PARLEY_STORE__MIGRATE"] == "never"


def test_redis_evicts_instead_of_refusing_and_keeps_nothing_on_disk(services: dict[str, dict[str, Any]]) -> None:
    command = " ".join(services["redis"]["command"])
    assert "--maxmemory 256mb --maxmemory-policy allkeys-lru" in command
    assert "--save  --appendonly no" in command
    assert "volumes" not in services["redis"]


def test_a_replica_may_finish_its_turns_before_it_is_killed(services: dict[str, dict[str, Any]]) -> None:
    turns = services["parley"]["environment"]
    leaves = float(turns["PARLEY_TURNS__DRAIN_SECONDS"]) + float(turns["PARLEY_TURNS__GRACE_SECONDS"]) + GRACE_SECONDS
    assert int(services["parley"]["stop_grace_period"].removesuffix("s")) >= max(30, leaves + 5)


def test_parley_understands_the_environment_and_answers_to_the_hosts_that_are_named(
    services: dict[str, dict[str, Any]],
) -> None:
    for given, hosts in (
        ({}, ["localhost"]),
        ({"PARLEY_HOSTS": "chat.example,a.example"}, ["chat.example", "a.example"]),
    ):
        settings = load(environment=environment(services, POSTGRES_PASSWORD="p", **given)).settings
        assert settings.database_url == "postgresql+psycopg://parley:p@postgres/parley"
        assert settings.channels["web"]["hosts"] == hosts
        assert settings.bus["use"] == "redis"


async def test_a_replica_believes_the_proxy_that_tls_ended_before_it(services: dict[str, dict[str, Any]]) -> None:
    schemes: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        schemes.append(scope["scheme"])

    trusted = services["parley"]["environment"]["FORWARDED_ALLOW_IPS"]
    middleware: Any = ProxyHeadersMiddleware(app, trusted_hosts=trusted)
    for peer in ("172.18.0.5", "198.51.100.1"):
        headers = [(b"x-forwarded-proto", b"https")]
        await middleware({"type": "http", "scheme": "http", "client": (peer, 1), "headers": headers}, None, None)
    assert schemes == ["https", "http"]
