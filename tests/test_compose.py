"""The compose file is accepted, asks for its secrets, and gives away no more than it must."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatch.settings import Settings
from tests.servers import leave_out
from tests.test_docs import rows

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


def test_only_the_api_has_a_port_and_only_for_this_machine(services: dict[str, Any]) -> None:
    assert {name: service["ports"] for name, service in services.items() if service.get("ports")} == {"api": ["127.0.0.1:8000:8000/tcp"]}


@pytest.mark.parametrize("name", [*OURS, "postgis", "redis"])
def test_no_process_may_do_more_than_it_must(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["user"].split(":")[0] not in ("0", "root", "")
    assert (service["read_only"], service["init"], service["cap_drop"]) == (True, True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_documented_setting_is_passed_on_or_fixed(services: dict[str, Any]) -> None:
    """The key is given as a text; rounds are solved by workers, who are told how many at once."""
    elsewhere = {"ALLONS_VAULT_KEY_FILE", "ALLONS_ROUNDS_AT_ONCE"}
    assert set(services["api"]["environment"]) == set(rows("settings.md")) - elsewhere
    assert set(services["api"]["environment"]) > set(services["worker"]["environment"]) == set(services["beat"]["environment"])


def test_what_is_chosen_arrives_and_what_is_not_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"ALLONS_TRUSTED_PROXIES": "172.16.0.0/12", "ALLONS_PUBLIC_URL": "https://allons.example.org", "ALLONS_RETENTION_MONTHS": "12"}
    done = config(**dict.fromkeys(SECRETS, "secret"), **chosen)
    for key, value in yaml.safe_load(done.stdout)["services"]["api"]["environment"].items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    assert [settings.trusted_proxies, settings.public_url, str(settings.retention_months)] == list(chosen.values())
    others = {
        name: field.default for name, field in Settings.model_fields.items() if name.startswith(("oidc", "round_", "calls", "health_h"))
    }
    assert {name: getattr(settings, name) for name in others} == others


def test_the_database_is_ready_only_when_it_answers_on_the_network(services: dict[str, Any]) -> None:
    """While the image makes the database, a server answers on the socket, and is stopped again before the real one."""
    test = services["postgis"]["healthcheck"]["test"]
    assert test[test.index("-h") + 1] == "127.0.0.1"


def test_only_who_needs_them_is_given_the_vaults_key_and_the_providers_secret(services: dict[str, Any]) -> None:
    for secret, few in (("ALLONS_VAULT_KEY", {"api", "migrate"}), ("ALLONS_OIDC_CLIENT_SECRET", {"api"})):
        assert {name for name in services if secret in services[name].get("environment", {})} == few


def test_the_service_does_not_log_in_as_the_owner(services: dict[str, Any]) -> None:
    urls = {name: services[name]["environment"]["ALLONS_DATABASE_URL"] for name in OURS}
    assert {name for name, url in urls.items() if "//allons:" in url} == {"migrate"}


@pytest.mark.parametrize("secret", SECRETS)
def test_without_one_of_its_secrets_nothing_starts(secret: str) -> None:
    done = config(**{name: "secret" for name in SECRETS if name != secret})
    assert done.returncode != 0
    assert "set it in .env" in done.stderr
