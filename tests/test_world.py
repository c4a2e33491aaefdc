"""Only `dispatch.world` asks the system for the time, for ids and for chance; who has a reason not to is named here with it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ASKS = {
    "datetime": {"now", "utcnow", "today", "fromtimestamp"}, "date": {"today"}, "time": {"time", "time_ns", "localtime", "gmtime"},
    "uuid": {"uuid1", "uuid4"}, "secrets": {"*"}, "os": {"urandom"}, "random": {"*"},
}  # fmt: skip
#: File -> reason. Durations (`time.monotonic`) are no clock, and numpy's generators have seeds.
ALLOWED = {
    "dispatch/world.py": "is the world",
    "dispatch/storage/vault.py": "keys and nonces come from the system, in a simulation too: from a seed they would open what they seal",
    "dispatch/engine/throttle.py": "seconds until a limit ends, by the clock of the library that counts",
    "api/simulation/month.py": "chance comes from the seed that was asked for",
    "api/simulation/recurring.py": "the same chance, handed on",
    "dispatch/storage/migrations/versions/0002_guarantees.py": "ids of rows that are made from older ones",
}


def asked(source: str) -> Iterator[str]:
    """Every place where the system is asked, however it was imported."""
    tree = ast.parse(source)
    own: dict[str, str] = {}  # names that stand for a module or class, or for one function of it
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            own |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            own |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        parts = ast.unparse(node.func).split(".")
        *_, where, what = ["", *own.get(parts[0], "").split("."), *parts[1:]]
        if what == "default_rng" and node.args:  # with a seed, it gives the same to everybody
            continue
        if what in ASKS.get(where, ()) or "*" in ASKS.get(where, ()):
            yield f"{where}.{what}"


def test_nothing_but_the_world_asks_the_system() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): set(asked(path.read_text(encoding="utf-8")))
        for package in ("dispatch", "api")
        for path in (ROOT / package).rglob("*.py")
    }
    assert {name: calls for name, calls in found.items() if calls and name not in ALLOWED} == {}
    assert [name for name in ALLOWED if not found[name]] == []  # whoever no longer needs the exception has none


@pytest.mark.parametrize(
    "source",
    [
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime\ndatetime.now()",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import time as clock\nclock()",
        "from uuid import uuid4\nuuid4()",
        "import uuid\nuuid.uuid4()",
        "import secrets\nsecrets.token_hex(3)",
        "import random\nrandom.random()",
        "from random import Random\nRandom(3)",
        "import os\nos.urandom(3)",
        "import numpy as np\nnp.random.default_rng()",
    ],
)
def test_every_way_of_asking_is_seen(source: str) -> None:
    assert list(asked(source))


def test_durations_and_the_world_are_not_asking() -> None:
    assert list(asked("import time\ntime.monotonic()\nworld.now()\nself._world.new_id()\nbus.time()")) == []
