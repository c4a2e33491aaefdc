"""The API does what its description says, for every role: schemathesis calls everything with anything and looks at each answer."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from dispatch.model.roles import ROLES
from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.api.conftest import Service
from tests.servers import free_port

#: What a description cannot say (places must be near roads, a time in the future) is refused although it fits: not a violation.
LEFT_OUT = "positive_data_acceptance"


@pytest.fixture
def address(sqlite: Database, demo_roads: RoadNetwork) -> Iterator[tuple[Service, str]]:
    """The service, listening on loopback."""
    service = Service(sqlite, demo_roads, longest_wait_seconds=0.2)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(service.app, host="127.0.0.1", port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield service, f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_every_call_with_anything_is_answered_as_described(address: tuple[Service, str], role: str, tmp_path: Path) -> None:
    service, url = address
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program
    examples = "20" if role == "coordinator" else "4"
    options = ["--max-examples", examples, "--seed", "1", "--exclude-checks", LEFT_OUT, "--generation-database", "none", "--no-color"]
    run = [program, "run", f"{url}/openapi.json", "-H", f"Authorization: Bearer {service.key(role)}", *options]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=500)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Test cases:" in done.stdout
