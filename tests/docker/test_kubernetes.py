"""The manifests of docker/kubernetes against the schemas of Kubernetes, and what must hold of them beyond."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from adapters.shared.serving import GRACE_SECONDS
from bot.config import load

FOLDER = Path(__file__).parents[2] / "docker" / "kubernetes"
VERSIONS = ("1.28", kubernetes_validate.latest_version())
Manifest = dict[str, Any]


def read(file: Path) -> list[Manifest]:
    return list(YAML(typ="safe", pure=True).load_all(file.read_text()))


MANIFESTS: list[Manifest] = [
    manifest for file in sorted(FOLDER.glob("*.yaml")) if file.stem != "kustomization" for manifest in read(file)
]


def one(kind: str) -> Manifest:
    (found,) = (manifest for manifest in MANIFESTS if manifest["kind"] == kind)
    return found


def pods() -> list[Manifest]:
    return [one(kind)["spec"]["template"]["spec"] for kind in ("Deployment", "Job")]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda manifest: f"{manifest['kind']}-{manifest['metadata']['name']}"
)
def test_kubernetes_knows_every_field(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_the_schemas_refuse_a_field_that_is_misspelt() -> None:
    deployment = one("Deployment")
    wrong = {**deployment, "spec": {**deployment["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_the_kustomization_names_every_file_but_the_example_of_a_secret() -> None:
    (kustomization,) = read(FOLDER / "kustomization.yaml")
    files = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(kustomization["resources"]) == files
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", str(image["newTag"])) for image in kustomization["images"])
    assert {image["name"] for image in kustomization["images"]} == {"parley"}


def test_the_example_of_a_secret_has_no_value_that_could_work() -> None:
    for value in one("Secret")["stringData"].values():
        assert "PASSWORD@HOST" in value


def test_pods_have_no_rights_a_root_that_is_read_only_and_no_variables_of_services() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "PARLEY_PORT=tcp://… is no port"
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert re.fullmatch(r"parley:\d+\.\d+\.\d+", container["image"])
            assert "memory" in container["resources"]["limits"]


def test_readiness_asks_for_every_part_and_life_only_for_the_process() -> None:
    (container,) = one("Deployment")["spec"]["template"]["spec"]["containers"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 300


def test_a_pod_leaves_the_service_while_it_drains_and_finishes_its_turns_before_it_is_killed(tmp_path: Path) -> None:
    pod = one("Deployment")["spec"]["template"]["spec"]
    probe = pod["containers"][0]["readinessProbe"]
    turns = YAML(typ="safe", pure=True).load(one("ConfigMap")["data"]["parley.yaml"])["turns"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < turns["drain_seconds"]
    leaves = turns["drain_seconds"] + turns["grace_seconds"] + GRACE_SECONDS
    assert pod["terminationGracePeriodSeconds"] >= max(30, leaves + 5)


def test_parley_understands_its_settings(tmp_path: Path) -> None:
    file = tmp_path / "parley.yaml"
    file.write_text(one("ConfigMap")["data"]["parley.yaml"])
    settings = load(file, environment={}).settings
    assert settings.channels["web"]["host"] == "0.0.0.0"
    assert settings.bus["use"] == "redis"


def test_replicas_are_spread_and_one_at_a_time_may_be_away() -> None:
    deployment = one("Deployment")["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    labels = deployment["template"]["metadata"]["labels"]
    spread = deployment["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]
    selectors = [deployment["selector"], spread, one("PodDisruptionBudget")["spec"]["selector"]]
    assert [selector["matchLabels"] for selector in selectors] == [labels] * 3
    assert one("Service")["spec"]["selector"] == labels


def test_nothing_enters_or_leaves_unless_a_policy_names_it() -> None:
    policies = {
        manifest["metadata"]["name"]: manifest["spec"] for manifest in MANIFESTS if manifest["kind"] == "NetworkPolicy"
    }
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ports = {
        name: {port["port"] for rule in spec.get("egress", ()) for port in rule["ports"]}
        for name, spec in policies.items()
    }
    assert ports == {"deny-all": set(), "server": {5432, 6379}, "migrate": {5432}, "names": {53}}
    for kind, name in (("Deployment", "server"), ("Job", "migrate")):
        assert policies[name]["podSelector"]["matchLabels"] == one(kind)["spec"]["template"]["metadata"]["labels"]


def test_the_ingress_passes_streams_on_unbuffered_and_keeps_figures_and_probes_inside() -> None:
    ingress = one("Ingress")
    annotations = {name.rpartition("/")[2]: value for name, value in ingress["metadata"]["annotations"].items()}
    assert annotations["proxy-buffering"] == "off"
    assert int(annotations["proxy-read-timeout"]) > 60
    paths = [(path["path"], path["pathType"]) for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert ("/", "Prefix") not in paths
    assert not {"/metrics", "/readyz", "/healthz"} & {path for path, _ in paths}
