"""The fleets of docker/fleets: what other people's schemas say of their files, and what must hold of them beyond.

RayService is a kind of KubeRay's own, which Kubernetes' schemas do not know: its pods are checked as pods, the
configuration that it carries by Ray's schema, and the fields around them by name.
"""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from bot.config import load
from bot.engine.remote.settings import RemoteSettings
from bot.fleet import app
from bot.plugins import find
from tests.docker.test_image import linters
from tests.docker.test_kubernetes import VERSIONS

__all__ = ["linters"]

TREE = Path(__file__).parents[2]
FLEETS = TREE / "docker" / "fleets"
NAMES = ("vllm", "ray-llm", "ray")
ON_RAY = ("ray-llm", "ray")
Manifest = dict[str, Any]


def read(file: Path) -> list[Manifest]:
    return list(YAML(typ="safe", pure=True).load_all(file.read_text()))


def compose(name: str) -> Manifest:
    (found,) = read(FLEETS / name / "compose.yaml")
    return found


def manifests(name: str) -> list[Manifest]:
    return [each for file in ("servers.yaml", "network.yaml") for each in read(FLEETS / name / file)]


def one(name: str, kind: str) -> Manifest:
    (found,) = (each for each in manifests(name) if each["kind"] == kind)
    return found


def policies(name: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each["spec"] for each in manifests(name) if each["kind"] == "NetworkPolicy"}


def templates(name: str) -> list[Manifest]:
    """Of every pod that the fleet consists of."""
    if name not in ON_RAY:
        return [one(name, "StatefulSet")["spec"]["template"]]
    cluster = one(name, "RayService")["spec"]["rayClusterConfig"]
    return [cluster["headGroupSpec"]["template"], *(group["template"] for group in cluster["workerGroupSpecs"])]


def parley(name: str, *, where: str) -> dict[str, str]:
    """The environment that Parley is given, with a key in the place of every secret."""
    if where == "compose":
        texts: dict[str, str] = compose(name)["services"]["parley"]["environment"]
        return {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text) for key, text in texts.items()}
    (patch,) = read(FLEETS / name / "parley.yaml")
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "k") for each in container["env"]}


def serve_config(name: str) -> Manifest:
    text = one(name, "RayService")["spec"]["serveConfigV2"]
    found: Manifest = YAML(typ="safe", pure=True).load(text)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_compose_files_pass_their_linter(linters: Path, name: str) -> None:
    import subprocess

    file = FLEETS / name / "compose.yaml"
    result = subprocess.run([linters / "dclint", file], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " error " not in result.stdout


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
@pytest.mark.parametrize("name", NAMES)
def test_parley_understands_its_settings_and_asks_the_servers_that_are_there(name: str, where: str) -> None:
    loaded = load(environment=parley(name, where=where))
    assert loaded.settings.engine["use"] == "remote"
    engine: RemoteSettings = loaded.section("engine", find("parley.engines", "remote"))
    hosts = {re.fullmatch(r"http://([\w.-]+):8000/v1", url)[1] for url in engine.endpoints}  # type: ignore[index]
    if where == "compose":
        assert hosts <= set(compose(name)["services"])
    elif name in ON_RAY:
        assert hosts == {f"{one(name, 'RayService')['metadata']['name']}-serve-svc"}
    else:
        servers = one(name, "StatefulSet")["spec"]
        assert hosts == {f"vllm-{number}.{servers['serviceName']}" for number in range(servers["replicas"])}
    if engine.key_env is not None:
        assert engine.key_env in parley(name, where=where)


@pytest.mark.parametrize("name", NAMES)
def test_in_compose_only_parley_reaches_the_servers_and_nothing_is_published(name: str) -> None:
    found = compose(name)
    services = {key: each for key, each in found["services"].items() if key != "parley"}
    assert found["networks"]["fleet"] == {"internal": True}
    assert found["services"]["parley"]["networks"] == ["default", "fleet"]
    for key, service in services.items():
        assert "ports" not in service, key
        assert service.get("network_mode") == "none" or service["networks"] == ["fleet", "downloads"], key


@pytest.mark.parametrize("name", NAMES)
def test_in_compose_servers_have_no_rights_and_no_secret_of_ours(name: str) -> None:
    for key, service in compose(name)["services"].items():
        if key == "parley":
            continue
        hardened = (service["read_only"], service["cap_drop"], service["security_opt"])
        assert hardened == (True, ["ALL"], ["no-new-privileges:true"]), key
        assert service.get("cap_add", []) == (["CHOWN"] if key == "models" else []), key
        assert re.search(r":v?\d+\.\d+", service["image"]), key
        if key != "models":
            assert "healthcheck" in service, key
            assert "build" in service or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), key
    for line in (FLEETS / name / "compose.yaml").read_text().splitlines():
        secret = re.match(r"\s+(\w*(?:KEY|RAY_AUTH_TOKEN)): (.*)", line)
        if secret and not secret[1].endswith("KEY_ENV"):
            assert re.match(r"\$\{\w+:\?", secret[2]), line


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", NAMES)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    for manifest in manifests(name):
        if manifest["kind"] != "RayService":
            kubernetes_validate.validate(manifest, version, strict=True)
    (patch,) = read(FLEETS / name / "parley.yaml")
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    for template in (*templates(name), {"metadata": {}, "spec": {"containers": [container]}}):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", **template["metadata"]}}
        kubernetes_validate.validate({**pod, "spec": template["spec"]}, version, strict=True)


@pytest.mark.parametrize("name", ON_RAY)
def test_a_ray_service_has_the_fields_that_kuberay_knows(name: str) -> None:
    service = one(name, "RayService")
    assert service["apiVersion"] == "ray.io/v1"
    assert set(service["spec"]) == {"serveConfigV2", "rayClusterConfig", "excludeHeadPodFromServeSvc"}
    cluster = service["spec"]["rayClusterConfig"]
    assert set(cluster) == {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"}
    assert set(cluster["headGroupSpec"]) == {"rayStartParams", "template"}
    (workers,) = cluster["workerGroupSpecs"]
    assert set(workers) == {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]
    for group in (cluster["headGroupSpec"], workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())


@pytest.mark.parametrize("name", ON_RAY)
def test_ray_understands_what_it_is_to_serve(name: str, tmp_path: Path) -> None:
    from ray.serve.schema import ServeDeploySchema

    assert one(name, "RayService")["spec"]["rayClusterConfig"]["authOptions"]["mode"] == "token"
    config = serve_config(name)
    schema = ServeDeploySchema.model_validate(config)
    (application,) = schema.applications
    if name == "ray-llm":
        assert application.import_path == "ray.serve.llm:build_openai_app"
        (alone,) = read(FLEETS / name / "serve.yaml")
        assert alone["applications"] == config["applications"], "compose and Kubernetes serve the same"
        ServeDeploySchema.model_validate(alone)
    else:
        assert application.import_path == f"{app.__module__}:{app.__name__}"
        settings = tmp_path / "engine.yaml"
        settings.write_text(one(name, "ConfigMap")["data"]["engine.yaml"])
        mounts = templates(name)[0]["spec"]["containers"][0]["volumeMounts"]
        (folder,) = (each["mountPath"] for each in mounts if each["name"] == "settings")
        assert application.args == {"config": f"{folder}/engine.yaml"}
        app({"config": str(settings)})


def test_ray_s_schemas_refuse_what_is_misspelt() -> None:
    from pydantic import ValidationError
    from ray.serve.config import AutoscalingConfig
    from ray.serve.schema import ServeDeploySchema

    with pytest.raises(ValidationError):
        ServeDeploySchema.model_validate({"applications": [{"name": "x"}]})
    (config,) = serve_config("ray-llm")["applications"][0]["args"]["llm_configs"]
    deployment = config["deployment_config"]
    assert set(deployment["autoscaling_config"]) <= set(AutoscalingConfig.model_fields)
    module, _, router = deployment["request_router_config"]["request_router_class"].rpartition(".")
    assert hasattr(__import__(module, fromlist=[router]), router)


@pytest.mark.parametrize("name", NAMES)
def test_pods_have_no_rights_and_a_root_that_is_read_only(name: str) -> None:
    for template in templates(name):
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert re.search(r":v?\d+\.\d+\.\d+", container["image"])
            assert "memory" in container["resources"]["limits"]
            requests, limits = (container["resources"][each].get("nvidia.com/gpu") for each in ("requests", "limits"))
            assert requests == limits


@pytest.mark.parametrize("name", NAMES)
def test_every_pod_is_closed_to_all_but_parley_and_its_like(name: str) -> None:
    found = policies(name)
    assert set(found) == {"server-to-fleet", name}
    labels = [template["metadata"]["labels"] for template in templates(name)]
    assert all(each == found[name]["podSelector"]["matchLabels"] for each in labels)
    assert found[name]["policyTypes"] == ["Ingress", "Egress"]
    asked = [rule for rule in found[name]["ingress"] if {"port": 8000, "protocol": "TCP"} in rule.get("ports", ())]
    sources = [source for rule in asked for source in rule["from"]]
    server = {"app.kubernetes.io/name": "parley", "app.kubernetes.io/component": "server"}
    assert {"podSelector": {"matchLabels": server}} in sources
    operator = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kuberay-system"}}}
    assert [each for each in sources if each != {"podSelector": {"matchLabels": server}}] == (
        [operator] if name in ON_RAY else []
    )
    assert all(rule["from"] for rule in found[name]["ingress"]), "a rule without sources lets everybody in"
    (leaving,) = found["server-to-fleet"]["egress"]
    assert found["server-to-fleet"]["podSelector"] == {"matchLabels": server}
    assert leaving["to"] == [{"podSelector": {"matchLabels": labels[0]}}]


@pytest.mark.parametrize("name", NAMES)
def test_one_server_at_a_time_may_be_away(name: str) -> None:
    budget = one(name, "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == templates(name)[0]["metadata"]["labels"]


@pytest.mark.parametrize("name", NAMES)
def test_the_kustomization_adds_the_fleet_to_parley(name: str) -> None:
    (kustomization,) = read(FLEETS / name / "kustomization.yaml")
    assert kustomization["resources"] == ["../../kubernetes", "servers.yaml", "network.yaml"]
    assert kustomization["patches"] == [{"path": "parley.yaml"}]
    (patch,) = read(FLEETS / name / "parley.yaml")
    (patched,) = read(TREE / "docker" / "kubernetes" / "deployment.yaml")
    (mine,), (theirs,) = (each["spec"]["template"]["spec"]["containers"] for each in (patch, patched))
    assert (patch["kind"], patch["metadata"], mine["name"]) == ("Deployment", patched["metadata"], theirs["name"])


def vllm_options() -> tuple[list[str], list[str]]:
    service = compose("vllm")["services"]["vllm-0"]
    (container,) = templates("vllm")[0]["spec"]["containers"]
    return service["command"][1:], container["args"][1:]


def test_vllm_is_started_alike_in_compose_and_in_kubernetes() -> None:
    here, there = vllm_options()
    assert here == there
    assert "--enable-prefix-caching" in here
    (given,) = (option for option in here if option.startswith("--default-chat-template-kwargs="))
    assert json.loads(given.partition("=")[2]) == {"enable_thinking": False}
    services = compose("vllm")["services"]
    (container,) = templates("vllm")[0]["spec"]["containers"]
    assert services["vllm-0"]["image"] == services["vllm-1"]["image"] == container["image"]
    gpus = [services[f"vllm-{each}"]["deploy"]["resources"]["reservations"]["devices"][0] for each in range(2)]
    assert [gpu["device_ids"] for gpu in gpus] == [["0"], ["1"]]
    assert services["vllm-0"]["environment"]["VLLM_API_KEY"] == services["parley"]["environment"]["FLEET_KEY"]


def test_the_probes_of_vllm_leave_time_for_the_download() -> None:
    (container,) = templates("vllm")[0]["spec"]["containers"]
    assert {container[f"{each}Probe"]["httpGet"]["path"] for each in ("startup", "readiness", "liveness")} == {
        "/health"
    }
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 1800


def test_our_engines_take_the_command_and_the_settings_that_compose_gives_them() -> None:
    service = compose("ray")["services"]["engines"]
    texts = {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text) for key, text in service["environment"].items()}
    assert service["command"][0] == "serve-engine"
    loaded = load(environment=texts, flags={"serve.use": ("--replicas", "ray"), "serve.replicas": ("--replicas", 2)})
    settings = loaded.section("serve", find("parley.servers", "ray"))
    assert (settings.gpus, settings.key_env) == (0.0, "PARLEY_ENGINE_KEY")
    assert service["build"]["args"] == {"EXTRAS": "[ray]"}
    assert 'pip install --no-cache-dir ".$EXTRAS"' in (TREE / "docker" / "cpu.Dockerfile").read_text()
    grace = int(service["stop_grace_period"].removesuffix("s"))
    assert grace >= settings.grace_seconds + 15
    shared = {"mb": 1 << 20, "gb": 1 << 30}
    size = re.fullmatch(r"(\d+)(mb|gb)", service["shm_size"])
    assert size is not None
    from adapters.ray.server import OBJECTS

    assert int(size[1]) * shared[size[2]] > OBJECTS
