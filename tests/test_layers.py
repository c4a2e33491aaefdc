"""Each heavy package has one home, and the layers of pyproject.toml hold (import-linter checks those; here they are run)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOMES = {
    "ortools": ("dispatch/planning/",),
    "numba": ("dispatch/planning/", "routing/"),
    "osmium": ("routing/",),
    "osmnx": ("routing/",),
    "networkx": ("routing/",),
    "sqlalchemy": ("dispatch/storage/",),
    "geoalchemy2": ("dispatch/storage/",),
    "alembic": ("dispatch/storage/",),
    "redis": ("dispatch/engine/", "routing/cache.py"),
    "apprise": ("dispatch/notices/",),
    "fpdf": ("api/pages/",),
    "icalendar": ("dispatch/notices/",),
    "fastapi": ("api/",),
    "starlette": ("api/",),
}


def imports() -> Iterator[tuple[str, str]]:
    """Every (file, top-level module) of the three packages."""
    for package in ("routing", "dispatch", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                yield from ((path.relative_to(ROOT).as_posix(), name.split(".")[0]) for name in names)


@pytest.mark.parametrize("package", HOMES)
def test_a_heavy_package_is_imported_only_in_its_home(package: str) -> None:
    found = [path for path, name in imports() if name == package]
    assert [path for path in found if not path.startswith(HOMES[package])] == []


def test_no_module_carries_a_name_of_the_standard_library() -> None:
    import sys

    clashes = [p for package in ("routing", "dispatch", "api") for p in (ROOT / package).rglob("*.py") if p.stem in sys.stdlib_module_names]
    assert clashes == []


def test_files_stay_small_enough_to_read() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for package in ("routing", "dispatch", "api")
        for path in (ROOT / package).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
