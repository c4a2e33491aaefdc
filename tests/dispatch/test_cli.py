"""The command line as people use it: a day in, a proved plan out, and one clear sentence for whatever is wrong."""

import datetime as dt
import functools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dispatch.cli import main
from dispatch.engine.pool import solve_in_child
from dispatch.schemas import schema_text
from dispatch.storage.database import Database
from routing.network import RoadNetwork
from routing.saved import save_network
from tests.dispatch.engine.test_pool import solve_then_hang
from tests.dispatch.territories import TestTerritory

CANARY = "zq-canary-zq"


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Shell:
    """A folder with the demo's roads, and the command `allons` in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._patch, self._capsys = folder, monkeypatch, capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "160")

    def __call__(self, *words: str) -> Ran:
        self._patch.setattr(sys, "argv", ["allons", *words])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        shown = self._capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    def day(self, **changes: Any) -> str:
        """A day of one volunteer and one request near the demo's town, with changes; its file's name."""
        driver = {"id": "jean", "home": [2.2976, 46.2380], "shifts": [["08:00", "18:00"]]}
        request = {
            "id": "r1", "beneficiary": "mme-r", "origin": [2.2976, 46.2380], "destination": [2.3165, 46.3063], "arrive_by": "10:40",
        }  # fmt: skip
        day: dict[str, Any] = {"date": "2026-11-24", "drivers": [driver], "requests": [request]}
        day |= {key: value for key, value in changes.items() if key in ("date", "drivers", "requests", "extra")}
        day["drivers"] = [{**driver, **each} for each in changes.get("driver", [])] or day["drivers"]
        day["requests"] = [{**request, **each} for each in changes.get("request", [])] or day["requests"]
        (self.folder / "day.json").write_text(json.dumps(day))
        return "day.json"


@pytest.fixture
def shell(tmp_path: Path, demo_roads: RoadNetwork, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    save_network(demo_roads, tmp_path / "demo.roads")
    return Shell(tmp_path, monkeypatch, capsys)


def plan_of(shell: Shell, name: str = "plan.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shell.folder / name).read_text())
    return found


def test_a_sample_day_is_planned_proved_and_printed(shell: Shell) -> None:
    assert shell("sample-day", "--legs", "24", "--drivers", "8", "--seed", "3", "--out", "day.json").code == 0
    planned = shell("plan", "day.json", "--iterations", "300", "--json", "plan.json")
    assert planned.code == 0, planned.err
    summary = plan_of(shell)["summary"]
    assert (summary["legs"], summary["violations"]) == (24, 0)
    assert summary["served"] + summary["unserved"] == 24
    assert f"│ {summary['served']}" in planned.out
    assert "fictif" in planned.out
    checked = shell("check", "day.json", "plan.json")
    assert (checked.code, checked.out.strip()) == (0, "Violations: 0")


def test_the_same_day_with_the_same_iterations_gives_the_same_bytes(shell: Shell) -> None:
    shell("sample-day", "--legs", "24", "--drivers", "8", "--out", "day.json")
    shell("plan", "day.json", "--iterations", "300", "--json", "one.json")
    command = [sys.executable, "-m", "dispatch.cli", "plan", "day.json", "--iterations", "300", "--json", "two.json"]
    for seed in ("0", "77"):
        subprocess.run(command, check=True, capture_output=True, cwd=shell.folder, env={**os.environ, "PYTHONHASHSEED": seed})
        assert (shell.folder / "one.json").read_bytes() == (shell.folder / "two.json").read_bytes()
    shell("plan", "day.json", "--iterations", "300", "--seed", "2", "--json", "other.json")
    assert plan_of(shell, "other.json")["summary"]["violations"] == 0


def test_a_plan_that_was_tampered_with_is_found_out(shell: Shell) -> None:
    assert shell("plan", shell.day(), "--iterations", "50", "--json", "plan.json").code == 0
    plan = plan_of(shell)
    stop = plan["runs"][0]["stops"][1]
    stop["arrive"] = stop["arrive"].replace("T10", "T09").replace("T09", "T08")
    (shell.folder / "bent.json").write_text(json.dumps(plan))
    checked = shell("check", "day.json", "bent.json")
    assert checked.code == 1
    assert "r1" in checked.out or "jean" in checked.out


DAYS: dict[str, tuple[dict[str, Any], str]] = {
    "duplicate drivers": ({"driver": [{}, {}]}, "drivers[1].id"),
    "duplicate requests": ({"request": [{}, {}]}, "requests[1].id"),
    "return before outbound": ({"request": [{"return_after": "09:00"}]}, "requests[0].return_after"),
    "lat 91": ({"request": [{"origin": [2.3, 91.0]}]}, "requests[0].origin[1]"),
    "NaN": ({"request": [{"origin": [2.3, float("nan")]}]}, "requests[0].origin[1]"),
    "unknown field": ({"request": [{"colour": CANARY}]}, "requests[0].colour"),
    "text for a number": ({"request": [{"seats": CANARY}]}, "requests[0].seats"),
    "no time": ({"request": [{"arrive_by": None}]}, "requests[0].arrive_by"),
    "two times": ({"request": [{"depart_after": "10:00"}]}, "requests[0].arrive_by"),
    "nonsense for a time": ({"request": [{"arrive_by": CANARY}]}, "requests[0].arrive_by"),
    "a shift that ends before it starts": ({"driver": [{"shifts": [["12:00", "08:00"]]}]}, "drivers[0].shifts[0]"),
    "a time the clock skips": ({"date": "2026-03-29", "request": [{"arrive_by": "02:30"}]}, "requests[0].arrive_by"),
    "a time the clock repeats": ({"date": "2026-10-25", "request": [{"arrive_by": "02:30"}]}, "requests[0].arrive_by"),
    "another day": ({"request": [{"arrive_by": "2026-12-24T10:40+01:00"}]}, "requests[0].arrive_by"),
    "no such date": ({"date": "2026-02-30"}, "date"),
    "more at the top": ({"extra": 1}, "extra"),
}


@pytest.mark.parametrize("what", DAYS)
def test_a_wrong_day_is_refused_by_file_and_field_and_never_repeated(shell: Shell, what: str) -> None:
    changes, field = DAYS[what]
    ran = shell("plan", shell.day(**changes), "--json", "plan.json")
    assert ran.code == 2, ran.out
    assert ran.err.startswith(f"day.json: {field}: "), ran.err
    assert CANARY not in ran.err.replace(f"requests[0].{CANARY}", "")
    assert "Traceback" not in ran.err
    assert not (shell.folder / "plan.json").exists()


def test_a_day_without_volunteers_is_planned_and_says_so(shell: Shell) -> None:
    ran = shell("plan", shell.day(drivers=[]), "--iterations", "10", "--json", "plan.json")
    assert ran.code == 0
    (leg,) = plan_of(shell)["unserved"]
    assert leg["reason"] == "NO_DRIVER_WINDOW"
    assert "Aucun bénévole ce jour-là." in ran.out


def test_a_day_without_requests_is_an_empty_plan(shell: Shell) -> None:
    ran = shell("plan", shell.day(requests=[]), "--iterations", "10", "--json", "plan.json")
    assert ran.code == 0
    assert (plan_of(shell)["runs"], plan_of(shell)["unserved"]) == ([], [])


def test_one_impossible_request_never_empties_the_plan(shell: Shell) -> None:
    far, early = {"id": "far", "origin": [2.9, 46.9]}, {"id": "early", "arrive_by": "06:00"}
    ran = shell("plan", shell.day(request=[far, {}, early]), "--iterations", "50", "--json", "plan.json", "--lang", "en")
    assert ran.code == 0
    assert [leg["request"] for run in plan_of(shell)["runs"] for leg in run["legs"]] == ["r1"]
    assert {leg["request"]: leg["reason"] for leg in plan_of(shell)["unserved"]} == {"far": "UNREACHABLE", "early": "NO_DRIVER_WINDOW"}
    assert "km from the nearest road" in ran.out
    assert shell("check", "day.json", "plan.json").code == 0


def test_a_volunteer_who_lives_off_the_roads_is_told_and_left_out(shell: Shell) -> None:
    ran = shell("plan", shell.day(driver=[{"id": "off", "home": [2.9, 46.9]}, {}]), "--iterations", "10", "--json", "plan.json")
    assert ran.code == 0
    assert [run["driver"] for run in plan_of(shell)["runs"]] == ["jean"]
    assert "Le domicile de ce bénévole" in ran.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("plan", "absent.json"), "absent.json: the whole: there is no such file"),
        (("plan", "."), "cannot be read"),
        (("plan", "demo.roads"), "demo.roads: "),
        (("check", "day.json", "absent.json"), "absent.json: the whole: there is no such file"),
        (("plan", "day.json", "--roads", "absent.roads"), "absent.roads: there is no such file."),
        (("plan", "day.json", "--roads", "day.json"), "day.json: an extract ends in"),
        (("plan", "day.json", "--roads", "cut.roads"), "cut.roads: "),
        (("plan", "day.json", "--iterations", "5", "--json", "none/plan.json"), "plan.json: the whole: cannot be written"),
        (("schema", "week"), "give day or plan"),
    ],
)
def test_wrong_files_end_with_one_sentence(shell: Shell, words: tuple[str, ...], sentence: str) -> None:
    shell.day()
    (shell.folder / "cut.roads").write_bytes((shell.folder / "demo.roads").read_bytes()[:5000])
    roads = () if "--roads" in words or words[0] == "schema" else ("--roads", "demo.roads")
    ran = shell(*words, *roads)
    assert (ran.code, sentence in ran.err) == (2, True), ran.err
    assert len(ran.err.strip().splitlines()) == 2
    assert str(shell.folder) not in ran.err


def test_the_only_network_of_a_folder_is_found_and_two_are_asked_about(shell: Shell) -> None:
    shell.day()
    assert shell("plan", "day.json", "--iterations", "5").code == 0
    (shell.folder / "other.roads").write_bytes((shell.folder / "demo.roads").read_bytes())
    several = shell("plan", "day.json", "--iterations", "5")
    assert (several.code, "several" in several.err) == (2, True)
    for path in shell.folder.glob("*.roads"):
        path.unlink()
    none = shell("plan", "day.json", "--iterations", "5")
    assert (none.code, "--roads FILE" in none.err) == (2, True)


def test_a_plan_goes_to_standard_output_alone_when_asked(shell: Shell) -> None:
    ran = shell("plan", shell.day(), "--iterations", "5", "--json", "-")
    assert json.loads(ran.out)["summary"]["legs"] == 1


def test_keys_and_tables_are_made_on_the_command_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLONS_DATABASE_URL", f"sqlite:///{shell.folder}/a/b.sqlite3")
    early = shell("keys", "list")
    assert (early.code, "allons migrate" in early.err) == (2, True)
    assert shell("migrate").code == 0
    made = shell("keys", "add", "--role", "admin")
    assert made.out.startswith("allons_")
    prefix = made.out.split("_")[1]
    assert prefix in shell("keys", "list").out
    assert made.out.strip() not in shell("keys", "list").out
    assert shell("keys", "revoke", prefix).code == 0
    for words in (("--role", "king"), ("--role", "coordinator"), ("--role", "coordinator", "--territory", "Nowhere"), ("--role", "driver")):
        refused = shell("keys", "add", *words)
        assert refused.code == 2, words
        assert len(refused.err.strip().splitlines()) == 2
    assert shell("keys", "revoke", "nothing").code == 2


def test_serving_without_roads_or_tables_says_what_is_missing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLONS_DATABASE_URL", f"sqlite:///{shell.folder}/a.sqlite3")
    monkeypatch.delenv("ALLONS_ROADS", raising=False)
    assert "ALLONS_ROADS" in shell("serve").err
    monkeypatch.setenv("ALLONS_ROADS", "demo.roads")
    assert "allons migrate" in shell("serve").err
    assert shell("migrate").code == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = shell("serve", "--port", str(taken.getsockname()[1]))
    assert (busy.code, "--port" in busy.err, "Traceback" in busy.err) == (2, True, False)
    monkeypatch.setenv("ALLONS_ROUND_SECONDS", CANARY)
    wrong = shell("serve")
    assert (wrong.code, "round_seconds" in wrong.err, CANARY in wrong.err) == (2, True, False)


def later(moment: str, minutes: int) -> str:
    return (dt.datetime.fromisoformat(moment) + dt.timedelta(minutes=minutes)).isoformat()


def shift_service(plan: dict[str, Any], minutes: int) -> None:
    """Everything of the first run happens so much later."""
    for stop in plan["runs"][0]["stops"]:
        stop |= {name: later(stop[name], minutes) for name in ("arrive", "start", "depart")}


def lose(plan: dict[str, Any], name: str) -> None:
    plan[name] = []


TAMPERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "window": lambda plan: shift_service(plan, 240),
    "shift": lambda plan: shift_service(plan, 600),
    "drive_time": lambda plan: plan["runs"][0]["stops"][2].update(arrive=plan["runs"][0]["stops"][1]["depart"]),
    "metres": lambda plan: plan["runs"][0]["stops"][2].update(metres=1),
    "load": lambda plan: plan["runs"][0]["stops"][1].update(seats=0),
    "place": lambda plan: plan["runs"][0]["stops"][1].update(place=[2.5, 46.3]),
    "precedence": lambda plan: plan["runs"][0]["stops"][1].update(kind="dropoff"),
    "home": lambda plan: plan["runs"][0]["stops"].pop(),
    "unknown_shift": lambda plan: plan["runs"][0].update(driver="nobody"),
    "shift_twice": lambda plan: plan["runs"].append(plan["runs"][0]),
    "unknown_leg": lambda plan: [stop.update(request="r9") for stop in plan["runs"][0]["stops"] if stop["request"]],
    "unserved": lambda plan: lose(plan, "runs"),
    "figures": lambda plan: plan["summary"].update(km_total=1.0),
    "levels": lambda plan: plan["summary"]["levels"].update(cost=0),
    "date": lambda plan: plan.update(date="2026-11-25"),
}


@pytest.mark.parametrize("rule", TAMPERED)
def test_the_rule_that_a_tampered_plan_breaks_is_named(shell: Shell, rule: str) -> None:
    shell("plan", shell.day(), "--iterations", "10", "--json", "plan.json")
    plan = plan_of(shell)
    TAMPERED[rule](plan)
    (shell.folder / "bent.json").write_text(json.dumps(plan))
    checked = shell("check", "day.json", "bent.json")
    *lines, last = checked.out.splitlines()
    assert checked.code == 1
    assert any(line.endswith(f". ({rule})") for line in lines), checked.out
    assert last == f"Violations: {len(lines)}"


@pytest.mark.parametrize("date", ["2026-03-29", "2026-10-25"])
def test_days_on_which_the_clocks_change_are_planned_and_proved(shell: Shell, date: str) -> None:
    assert shell("sample-day", "--legs", "16", "--drivers", "8", "--date", date, "--out", "day.json").code == 0
    assert shell("plan", "day.json", "--iterations", "100", "--json", "plan.json").code == 0
    assert plan_of(shell)["summary"]["served"] > 0
    assert shell("check", "day.json", "plan.json").code == 0


def test_everybody_whom_nobody_drives_is_told_why_in_both_languages(shell: Shell) -> None:
    day = shell.day(drivers=[], request=[{"return_after": "11:30"}, {"id": "r2"}])
    for lang, sentence in (("fr", "Aucun bénévole n'est libre à cette heure."), ("en", "No volunteer is free at this time.")):
        ran = shell("plan", day, "--iterations", "10", "--json", "plan.json", "--lang", lang)
        assert (ran.code, ran.out.count("NO_DRIVER_WINDOW")) == (0, 3)
        assert ran.out.count(sentence) >= 2  # the way there of r1 says that its way back is missing
    assert [leg["id"] for leg in plan_of(shell)["unserved"]] == ["r1/outbound", "r1/return", "r2/outbound"]


@pytest.mark.parametrize("target", ["none/plan.json", "folder"])
def test_a_plan_that_cannot_be_written_leaves_nothing_behind(shell: Shell, target: str) -> None:
    (shell.folder / "folder").mkdir()
    day = shell.day()
    before = sorted(shell.folder.rglob("*"))
    for command in (("plan", day, "--iterations", "5", "--json", target), ("sample-day", "--legs", "4", "--out", target)):
        ran = shell(*command)
        assert (ran.code, ran.out) == (2, "")
        assert "cannot be written" in ran.err
    assert sorted(shell.folder.rglob("*")) == before


@pytest.mark.parametrize("name", ["wrong.roads", "empty.roads", "cut.osm.pbf", "folder", "folder.roads", "wrong.osm"])
def test_roads_that_are_none_are_refused_by_the_files_name(shell: Shell, name: str) -> None:
    shell.day()
    path = shell.folder / name
    if name.startswith("folder"):
        path.mkdir()
    else:
        path.write_bytes(b"" if name == "empty.roads" else CANARY.encode() * 1000)
    for words in (("plan", "day.json"), ("sample-day",)):
        ran = shell(*words, "--roads", name)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(f"{name}: ")
        assert len(ran.err.strip().splitlines()) == 2
        assert CANARY not in ran.err


@pytest.mark.parametrize("noun", ["day", "plan"])
def test_a_schema_is_printed_and_nothing_else(shell: Shell, noun: str) -> None:
    ran = shell("schema", noun)
    assert (ran.code, ran.out, ran.err) == (0, schema_text(noun), "")


def test_a_solver_that_had_to_be_killed_is_told_beside_the_plan(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.engine.plan_day.solve_in_child", functools.partial(solve_in_child, solver=solve_then_hang))
    ran = shell("plan", shell.day(), "--seconds", "0.5", "--json", "plan.json")
    assert ran.code == 0
    assert "was killed; this is the last legal plan" in ran.err
    assert shell("check", "day.json", "plan.json").code == 0


BROKEN: dict[str, dict[str, Any]] = {
    "digits of another script": {"request": [{"arrive_by": "1\u0660:40"}]},
    "a day whose end is beyond the calendar": {"date": "9999-12-31", "driver": [{"shifts": [["08:00", "24:00"]]}]},
    "a day whose start is before the calendar": {"date": "0001-01-01"},
    "an instant beyond the calendar": {"request": [{"arrive_by": "9999-12-31T23:59-14:00"}]},
    "a number for a date": {"date": 1795478400},
    "a date-time for a date": {"date": "2026-11-24T00:00:00"},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_day_that_slips_through_is_refused_in_one_sentence_too(shell: Shell, what: str) -> None:
    ran = shell("plan", shell.day(**BROKEN[what]), "--iterations", "5", "--json", "plan.json")
    assert ran.code == 2, ran.out
    assert ran.err.startswith("day.json: ")
    assert "\u0660" not in ran.err
    assert not (shell.folder / "plan.json").exists()


def test_nobody_drives_in_two_places_at_once(shell: Shell) -> None:
    """Shifts that overlap, and two people who want to go opposite ways at the same time."""
    west = {"id": "w", "origin": [2.2976, 46.2380], "destination": [2.3165, 46.3063], "arrive_by": "10:00", "window_minutes": 0}
    east = {"id": "e", "origin": [2.3165, 46.3063], "destination": [2.2976, 46.2380], "arrive_by": "10:00", "window_minutes": 0}
    day = shell.day(driver=[{"shifts": [["08:00", "12:00"], ["08:00", "12:00"]]}], request=[west, east])
    if shell("plan", day, "--iterations", "50", "--json", "plan.json").code == 2:
        return  # refused: as good
    spans = sorted((run["leaves_home"], run["back_home"]) for run in plan_of(shell)["runs"])
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert shell("check", "day.json", "plan.json").code == 0


def test_keys_are_listed_whatever_a_territory_is_called(shell: Shell, monkeypatch: pytest.MonkeyPatch, demo_roads: RoadNetwork) -> None:
    monkeypatch.setenv("ALLONS_DATABASE_URL", f"sqlite:///{shell.folder}/a.sqlite3")
    shell("migrate")
    database = Database(f"sqlite:///{shell.folder}/a.sqlite3")
    TestTerritory(database, demo_roads, name="Pays [/]")
    database.close()
    assert shell("keys", "add", "--role", "coordinator", "--territory", "Pays [/]").code == 0
    assert "Pays [/]" in shell("keys", "list").out


def test_change_proposes_how_to_go_on_and_says_who_is_touched(shell: Shell) -> None:
    day = shell.day()
    assert shell("plan", day, "--iterations", "20", "--json", "plan.json").code == 0
    gone = shell("change", day, "plan.json", "--gone", "jean", "--json", "after.json")
    assert gone.code == 0
    assert "1 trajet sans bénévole, 1 promesse à changer" in gone.out
    assert json.loads((shell.folder / "after.json").read_text())["proposals"][0]["touched"][0]["how"] == "dropped"
    request = json.loads((shell.folder / day).read_text())["requests"][0] | {"id": "r2", "arrive_by": "15:00"}
    (shell.folder / "new.json").write_text(json.dumps(request))
    new = shell("change", day, "plan.json", "--new", "new.json", "--lang", "en", "--json", "-")
    assert [p["served"] for p in json.loads(new.out)["proposals"]] == [["r2/outbound"], []]
    assert "1 more way served, no promise to change" in new.err
    assert shell("change", day, "plan.json", "--cancel", "r1").code == shell("change", day, "plan.json", "--late", "jean=30").code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give exactly one of"),
        (("--gone", "jean", "--cancel", "r1"), "give exactly one of"),
        (("--late", "jean"), "minutes: must be a whole number"),
        (("--no-show", "r1/up"), "must be one of"),
        (("--new", "nothing.json"), "there is no such file"),
        (("--gone", CANARY), "is not the id of a driver of this day"),
    ],
)
def test_an_event_that_cannot_be_is_one_sentence(shell: Shell, words: tuple[str, ...], sentence: str) -> None:
    day = shell.day()
    shell("plan", day, "--iterations", "5", "--json", "plan.json")
    refused = shell("change", day, "plan.json", *words)
    assert refused.code == 2
    assert sentence in refused.err
    assert CANARY not in refused.err + refused.out
