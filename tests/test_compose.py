"""The compose file is accepted, asks for its secrets, and gives away no more than it must."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import leave_out

ROOT = Path(__file__).parent.parent
SECRETS = ("ALLONS_DB_PASSWORD", "ALLONS_DB_OWNER_PASSWORD", "ALLONS_REDIS_PASSWORD", "ALLONS_VAULT_KEY")
OURS = ("api", "worker", "beat", "migrate")


def config(**secrets: str) -> "subprocess.CompletedProcess[str]":
    """What docker-compose makes of it."""
    program = shutil.which("docker-compose")
    if program is None:
        leave_out("docker-compose")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ALLONS_")}
    with tempfile.NamedTemporaryFile(suffix=".env") as empty:  # not the .env of whoever runs the tests
        run = [str(program), "--env-file", empty.name, "-f", str(ROOT / "docker-compose.yml"), "config"]
        return subprocess.run(run, capture_output=True, text=True, check=False, env=clean | secrets)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    done = config(**dict.fromkeys(SECRETS, "secret"))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def test_everything_is_there(services: dict[str, Any]) -> None:
    assert set(services) == {*OURS, "postgis", "redis"}


def test_only_the_api_has_a_port(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if service.get("ports")] == ["api"]


@pytest.mark.parametrize("name", OURS)
def test_our_processes_may_do_little(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["user"] not in ("0", "root", "")
    assert (service["read_only"], service["init"], service["cap_drop"]) == (True, True, ["ALL"])


def test_the_service_does_not_log_in_as_the_owner(services: dict[str, Any]) -> None:
    urls = {name: services[name]["environment"]["ALLONS_DATABASE_URL"] for name in OURS}
    assert {name for name, url in urls.items() if "//allons:" in url} == {"migrate"}


@pytest.mark.parametrize("secret", SECRETS)
def test_without_one_of_its_secrets_nothing_starts(secret: str) -> None:
    done = config(**{name: "secret" for name in SECRETS if name != secret})
    assert done.returncode != 0
    assert "set it in .env" in done.stderr
