"""PostgreSQL and Redis for tests: started on loopback, in a folder of their own, ended by the id of the process that was started."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def leave_out(what: str) -> None:
    """Skip, saying what is missing; fail in CI, where nothing may be left out."""
    sentence = f"{what} is not installed here (scripts/test installs it where it may)"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgis(*, durable: bool = False) -> Iterator[str]:
    """A PostgreSQL server with PostGIS; yields the URL without the name of a database. Durable: as in production, for benchmarks."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found or not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        leave_out("PostgreSQL with PostGIS")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="allons-pg-"))
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    make = [programs / "initdb", "-D", folder / "data", "-U", "allons", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, cwd="/", **as_user)
    port = free_port()
    choices = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
    choices |= {} if durable else {"fsync": "off", "full_page_writes": "off"}
    run = [programs / "postgres", "-D", folder / "data", "-p", str(port), *(f"--{key}={value}" for key, value in choices.items())]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(run, cwd="/", stdout=subprocess.DEVNULL, stderr=log, **as_user)
    try:
        ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        _wait(server, lambda: subprocess.run(ready, check=False).returncode == 0, folder / "log")
        yield f"postgresql+psycopg://allons@127.0.0.1:{port}"
    finally:
        _end(server, signal.SIGINT)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis server that keeps nothing; yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        leave_out("redis-server")
    port = free_port()
    run = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(run, stdout=log)
    try:
        _wait(server, lambda: _listens(port), folder / "redis.log")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        _end(server, signal.SIGTERM)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(server: "subprocess.Popen[bytes]", ready: Any, log: Path) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _end(server: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    server.send_signal(how)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
