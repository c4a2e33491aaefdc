"""PostgreSQL and Redis for tests and benchmarks: on loopback, in a folder of their own, ended by the id of the process that was started."""

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


def leave_out(what: str) -> None:
    """Skip, saying what is missing; fail in CI, where nothing may be left out. A benchmark ends, as its environment has no pytest."""
    sentence = f"{what} is not installed here (scripts/test installs it where it may)"
    try:
        import pytest
    except ImportError:
        raise SystemExit(sentence) from None
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A PostgreSQL server with PostGIS that can be stopped and started; what was committed stays."""

    def __init__(self, programs: Path, folder: Path, choices: dict[str, Any], as_user: dict[str, Any]) -> None:
        self._programs, self._folder, self._as_user, self._port = programs, folder, as_user, free_port()
        self.url = f"postgresql+psycopg://allons@127.0.0.1:{self._port}"  # without the name of a database
        options = (f"--{key}={value}" for key, value in choices.items())
        self._run = [programs / "postgres", "-D", folder / "data", "-p", str(self._port), *options]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(self._run, cwd="/", stdout=subprocess.DEVNULL, stderr=log, **self._as_user)
        ready = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        _wait(self._server, lambda: subprocess.run(ready, check=False).returncode == 0, self._folder / "log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._server is not None:
            _end(self._server, how)
            self._server = None


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A server of its own. Durable: as in production, for benchmarks."""
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
    choices = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
    choices |= {} if durable else {"fsync": "off", "full_page_writes": "off"}
    server = Postgres(programs, folder, choices, as_user)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # nothing of it is wanted any more, so nothing is written out
        subprocess.run(["rm", "-rf", folder], check=False)  # some hundred thousand files, quicker than from here


@contextmanager
def postgis(*, durable: bool = False) -> Iterator[str]:
    """The same, for those who never stop it; yields the URL without the name of a database."""
    with postgres(durable=durable) as server:
        yield server.url


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
