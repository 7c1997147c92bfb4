"""The image and the compose files, linted by other people's tools; what the image does is checked step by step.

No container engine is needed: the steps are those of the README's plain installation.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

TREE = Path(__file__).parents[2]
DOCKERFILE = TREE / "docker" / "cpu.Dockerfile"
COMPOSE = TREE / "docker" / "compose.yaml"
LINTERS = ("dclint@3.1.0", "dockerfile-utils@0.16.3")


@pytest.fixture(scope="module")
def linters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    assert npm, "this test needs npm: sudo apt-get install nodejs npm"
    folder = tmp_path_factory.mktemp("linters")
    command = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), *LINTERS]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    return folder / "node_modules" / ".bin"


def test_the_dockerfile_passes_its_linter(linters: Path) -> None:
    result = subprocess.run(
        [linters / "dockerfile-utils", "lint", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, ""), result.stdout + result.stderr


@pytest.mark.parametrize("file", ["compose.yaml", "replicas.yaml"])
def test_the_compose_files_pass_their_linter(linters: Path, file: str) -> None:
    result = subprocess.run([linters / "dclint", COMPOSE.with_name(file)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " error " not in result.stdout


def test_everything_that_is_copied_into_the_image_is_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE.read_text(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (TREE / source).exists(), source


def test_the_image_runs_as_a_user_without_rights_and_asks_parley_whether_it_is_ready() -> None:
    text = DOCKERFILE.read_text()
    assert re.search(r"^USER [1-9]\d*$", text, re.MULTILINE)
    assert "/readyz" in text
    assert 'ENTRYPOINT ["parley"]' in text


def test_compose_publishes_on_loopback_alone_and_keeps_data_in_a_volume() -> None:
    service = YAML(typ="safe", pure=True).load(COMPOSE.read_text())["services"]["parley"]
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    assert service["volumes"] == ["parley-data:/data"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
