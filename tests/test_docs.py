"""What the documentation says is so: settings, errors, links, commands, and the README's own lines, run against a served demo."""

import inspect
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import typer

from api.errors import STATUS
from dispatch.cli import app
from dispatch.errors import DispatchError
from dispatch.settings import Settings
from dispatch.storage import accounts, log, store  # noqa: F401 # all tables are known then
from dispatch.storage.base import Table
from routing.errors import RoutingError
from tests.servers import free_port

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(name: str) -> dict[str, list[str]]:
    """A documentation page's table, by its first column."""
    lines = (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_every_setting_is_documented_as_it_is() -> None:
    expected = {
        f"ALLONS_{name.upper()}": ["none" if field.default is None else f"`{field.default}`", field.description]
        for name, field in Settings.model_fields.items()
    }
    assert rows("settings.md") == expected


def test_every_column_has_its_purpose_basis_and_retention() -> None:
    inventory = rows("personal-data.md")
    assert set(inventory) == {f"{name}.{column.name}" for name, table in Table.metadata.tables.items() for column in table.columns}
    for name, cells in inventory.items():
        what, purpose, basis, kept, personal = cells
        assert what, name
        assert purpose, name
        assert basis in ("contract", "legal duty", "—"), name
        assert kept, name
        assert personal in ("yes", "pseudonym", "functional need", "no"), name
        assert basis != "—" or personal == "no", name


def tree(root: type[Exception]) -> list[type[Exception]]:
    return [found for child in root.__subclasses__() for found in (child, *tree(child))]


def test_every_error_is_documented_as_it_is() -> None:
    documented = rows("errors.md")
    for error in (*tree(DispatchError), *tree(RoutingError)):
        status, sentence, action = documented.pop(error.code)
        told = (int(status), sentence, action)
        assert told == (STATUS[error.code], inspect.cleandoc(error.__doc__ or ""), error.action)
    assert {code: int(row[0]) for code, row in documented.items()} == {
        code: STATUS[code]
        for code in ("unreadable", "method_not_allowed", "too_large", "headers_too_large", "not_json", "not_csv", "not_a_file", "internal")
    }


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md")]))
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in target]
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_commands_of_the_readme_exist() -> None:
    root = typer.main.get_command(app)
    told = re.findall(r"^allons ([a-z-]+)", README, re.MULTILINE)
    assert set(told) >= {"roads", "sample-day", "plan", "check", "migrate", "keys", "serve"}
    assert set(told) <= set(root.commands)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The demo, made and served by its own command: a port and its folder."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    command = [sys.executable, "-m", "dispatch.cli", "demo", "--port", str(port), "--folder", str(folder)]
    with (folder / "log").open("wb") as printed:
        server = subprocess.Popen(command, cwd=ROOT, stdout=printed, stderr=printed)
    try:
        deadline = time.monotonic() + 240
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            try:
                httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5).raise_for_status()
                break
            except httpx2.HTTPError:
                time.sleep(0.2)
        yield port, folder
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.slow
def test_the_demo_prints_what_happened(demo: tuple[int, Path]) -> None:
    printed = (demo[1] / "log").read_text(encoding="utf-8")
    assert "Territoire fictif" in printed
    figures = dict(re.findall(r"│ (.+?) +│ +([\d .]+?) +│", printed))
    assert figures["Infractions · violations"] == "0"
    assert int(figures["Servis · served"]) + int(figures["Sans conducteur · unserved"]) == int(figures["Trajets demandés · legs"]) == 60
    assert float(figures["dont à vide · km empty"].replace(" ", "")) < float(figures["Kilomètres · km"].replace(" ", ""))


@pytest.mark.slow
def test_the_lines_of_the_readme_do_what_they_say(demo: tuple[int, Path]) -> None:
    port, folder = demo
    (lines,) = (block for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) if "var/demo/keys.env" in block)
    lines = lines.replace("var/demo", str(folder)).replace(":8000", f":{port}")
    known = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    run = ["bash", "-euo", "pipefail", "-c", lines]
    ran = subprocess.run(run, capture_output=True, text=True, timeout=240, check=False, env=known)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    said = ran.stdout.split()[2:]  # after the two spans
    served, again = (int(word) for word in said if word.isdigit())
    assert min(served, again) > 40
    assert [word for word in said if not word.isdigit() and word != "accepted"] == ["declined", "confirmed", "confirmed"]
    assert said.count("accepted") in (1, 2)


@pytest.mark.slow
def test_the_demo_started_again_reuses_what_is_there(demo: tuple[int, Path]) -> None:
    folder = demo[1]
    roads = (folder / "demo.roads").stat().st_mtime_ns
    key = (folder / "keys.env").read_text()
    command = [sys.executable, "-m", "dispatch.cli", "demo", "--once", "--folder", str(folder)]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert re.search(r"violations +│ 0 ", again.stdout)
    assert (folder / "demo.roads").stat().st_mtime_ns == roads
    assert (folder / "keys.env").read_text() == key
    assert (folder / "keys.env").stat().st_mode & 0o777 == 0o600
