"""Compiled kernels where nothing may be written but one folder, as in the image; without a container engine, with the image's own lines."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ENVIRONMENT = dict(re.findall(r"(\w+)=(\S+)", "\n".join(line for line in DOCKERFILE.splitlines() if line.startswith("ENV "))))
#: Solves in a child of its own, as a round does.
ROUND = """
from dispatch.engine.pool import solve_in_child
from dispatch.planning.solve import SolveParams
from dispatch.planning.warm import tiny_problem
assert solve_in_child(tiny_problem(), SolveParams(iterations=5)).ended == "done"
import dispatch, routing.warm
routing.warm.warm()
print(dispatch.__file__)
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The packages as they are installed, where no compiled kernel can be kept: in place of its folder there is a file."""
    site = tmp_path / "site"
    for package in ("api", "dispatch", "routing"):
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [path.parent for path in site.rglob("__init__.py")]:
        (folder / "__pycache__").touch()
    return site


def run(site: Path, *words: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Something with the installed packages, as somebody without a home."""
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "HOME": "/dev/null", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, env=known | environment, cwd=cwd, capture_output=True, text=True, check=False, timeout=900)


def test_without_a_folder_to_write_to_no_kernel_is_even_imported(installed: Path, tmp_path: Path) -> None:
    for environment in ({}, {"NUMBA_CACHE_DIR": "/dev/null/kernels"}):
        done = run(installed, sys.executable, "-c", "import routing.heap", cwd=tmp_path, **environment)
        assert done.returncode != 0
        assert "cannot cache function" in done.stderr


@pytest.mark.slow
def test_the_image_compiles_what_it_runs_and_runs_what_it_compiled(installed: Path, tmp_path: Path) -> None:
    (warming,) = re.findall(r"^RUN (NUMBA_CACHE_DIR=.*)$", DOCKERFILE, re.MULTILINE)
    known = {name: str(tmp_path / value.strip("/")) for name, value in ENVIRONMENT.items() if name in ("KERNELS", "NUMBA_CACHE_DIR")}
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "allons").write_text(f"#!/bin/sh\nexec '{sys.executable}' -c \"$1\"\n", encoding="utf-8")
    (programs / "allons").chmod(0o755)
    known["PATH"] = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = run(installed, "sh", "-euc", warming.replace(ENVIRONMENT["KERNELS"], known["KERNELS"]), cwd=tmp_path, **known)
    assert made.returncode == 0, made.stderr

    before = compiled(Path(known["KERNELS"]))
    assert len(before) > 20
    done = run(installed, "sh", str(ROOT / "scripts" / "entrypoint"), ROUND, cwd=tmp_path, **known)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(installed / "dispatch" / "__init__.py")
    assert compiled(Path(known["NUMBA_CACHE_DIR"])) == before  # nothing had to be compiled


def compiled(folder: Path) -> set[str]:
    """Compiled kernels of a cache."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.nbc")}
