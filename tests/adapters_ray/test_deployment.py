"""What Ray is told of the replicas, and who may start them; no Ray runs."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ray import cloudpickle

from adapters.ray import RaySettings, plugin
from adapters.ray.deployment import deployment
from bot.config import load
from bot.errors import ConfigError, UnknownPlugin
from bot.fleet import app, is_fleet, open_ready
from tests.adapters_openai.house import KEY, VARIABLE
from tests.cli.terminal import parley


def test_a_fixed_number_of_replicas_is_bounded_in_what_it_takes() -> None:
    made = deployment(RaySettings(replicas=3, at_once=7, queue=11, cpus=0.5, gpus=1, grace_seconds=9))
    assert (made.num_replicas, made.max_ongoing_requests, made.max_queued_requests) == (3, 7, 11)
    options = made.ray_actor_options or {}
    assert (options["num_cpus"], options["num_gpus"]) == (0.5, 1)


def test_replicas_follow_the_load_between_the_fewest_and_the_most() -> None:
    scaling: Any = deployment(RaySettings(replicas=2, most=6, busy=5, idle_seconds=60))._deployment_config
    scaling = scaling.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas) == (2, 6)
    assert (scaling.target_ongoing_requests, scaling.downscale_delay_s) == (5, 60)


@pytest.mark.parametrize("wrong", [{"replicas": 0}, {"replicas": 3, "most": 2}, {"at_once": 0}, {"gpus": -1}, {"x": 1}])
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RaySettings(**wrong)


def test_the_application_carries_the_engine_s_settings_and_nobody_s_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://parley:pw-of-the-database@db/parley")
    monkeypatch.setenv("DISCORD_TOKEN", "token-of-discord")
    monkeypatch.setenv(VARIABLE, KEY)
    file = tmp_path / "engine.yaml"
    file.write_text(json.dumps({"engine": {"model": "some/model"}, "serve": {"use": "ray", "key_env": VARIABLE}}))
    packed = cloudpickle.dumps(app({"config": str(file)}))
    assert b"some/model" in packed
    for secret in ("pw-of-the-database", "token-of-discord", KEY):
        assert secret.encode() not in packed


def test_the_application_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'model'"):
        app({"model": "some/model"})
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        app({"config": str(tmp_path / "nowhere.yaml")})


def test_replicas_are_asked_for_by_name_alone() -> None:
    assert not is_fleet(load(environment={}))
    assert is_fleet(load(environment={"PARLEY_SERVE__USE": "ray"}))


async def test_a_replica_opens_the_engine_of_its_settings_or_says_which_is_unknown() -> None:
    with pytest.raises(UnknownPlugin, match="nonsense"):
        async with open_ready("nonsense", None):
            pytest.fail("it opened")


async def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("adapters.ray.server", "adapters.ray.deployment"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    for variable in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE", "RAY_USAGE_STATS_ENABLED", "GRPC_VERBOSITY"):
        monkeypatch.setenv(variable, "")
    for variable in ("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S"):
        monkeypatch.setenv(variable, "5")
    with pytest.raises(ConfigError, match=r"pip install 'parley\[ray\]'"):
        async with plugin.open(RaySettings(), pytest.fail):
            pytest.fail("it opened")
    with pytest.raises(ConfigError, match=r"pip install 'parley\[ray\]'"):
        plugin.deployment(RaySettings(), pytest.fail)


def test_replicas_do_not_start_without_a_key_or_where_the_port_is_taken(tmp_path: Path) -> None:
    result = parley("serve-engine", "--replicas", "2", cwd=tmp_path, environment={"PARLEY_ENGINE_KEY": ""})
    assert result.code == 1
    assert "PARLEY_ENGINE_KEY" in result.complaint
    result = parley("serve-engine", "--replicas", "0", cwd=tmp_path, environment={"PARLEY_ENGINE_KEY": KEY})
    assert result.code == 1
    assert "serve.replicas" in result.complaint
