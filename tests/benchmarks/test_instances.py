"""Public instances are read as their authors mean them, and the judge lets nothing pass."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.instances import BIG, Instance, cordeau, judge, lilim, rural, to_problem, without_times
from benchmarks.peers import PEERS, _alike, _detours, nodes, ortools
from benchmarks.planner import _there
from dispatch.planning.solve import SolveParams, solve


@pytest.fixture(scope="module")
def day() -> Instance:
    """A small rural day."""
    return rural(30, 8, 3)


@pytest.fixture(scope="module")
def routes(day: Instance) -> dict[int, list[int]]:
    """Our plan for it."""
    return nodes(day, solve(to_problem(day), SolveParams(iterations=300)).routes)


def test_our_plans_are_legal_for_a_judge_that_shares_no_code(day: Instance, routes: dict[int, list[int]]) -> None:
    verdict = judge(day, routes)
    assert verdict.illegal == ""
    assert verdict.unserved == 30 - sum(map(len, routes.values())) // 2
    assert verdict.vehicles == len(routes)


def longest(routes: dict[int, list[int]]) -> int:
    return max(routes, key=lambda v: len(routes[v]))


def test_the_judge_sees_each_broken_rule(day: Instance, routes: dict[int, list[int]]) -> None:
    v = longest(routes)
    route = routes[v]
    requests = [node for node in route if node < day.n]
    broken = {
        "capacity": (replace(day, capacity=np.zeros_like(day.capacity)), route),
        "compatibility": (replace(day, compatible=np.zeros_like(day.compatible)), route),
        "length": (replace(day, max_length=np.zeros_like(day.max_length)), route),
        "time": (replace(day, late=np.where(np.arange(len(day.late)) < 2 * day.n, day.late - 40_000, day.late)), route),
        "a stop twice": (day, [*route, *route[-2:]]),
        "served twice, or never dropped off": (day, [node for node in route if node != requests[0] + day.n]),
        "dropped off without a pickup": (day, [node for node in route if node != requests[0]]),
    }
    for rule, (instance, way) in broken.items():
        assert judge(instance, {v: way}).illegal == rule
    tight = replace(day, ride_limit=np.zeros_like(day.ride_limit))
    assert judge(tight, {v: route}).illegal == "time"
    assert judge(replace(day, max_duty=np.ones_like(day.max_duty)), {v: route}).illegal == "time"


def test_people_served_by_two_vehicles_are_seen(day: Instance, routes: dict[int, list[int]]) -> None:
    v = longest(routes)
    other = next(u for u in range(day.vehicles) if u not in routes or u != v)
    assert judge(day, {v: routes[v], other: routes[v]}).illegal != ""


def test_the_common_problem_leaves_out_times(day: Instance) -> None:
    common = without_times(day)
    assert (common.ride_limit == BIG).all()
    assert (common.max_duty == BIG).all()


def test_a_peer_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(PEERS, "absent", ("a_module_that_is_not_there", ortools))
    assert not _there("absent")
    assert capsys.readouterr().err == "left out, not installed here: absent\n"
    assert _there("ortools")


def test_vehicles_of_one_kind_are_told_once(day: Instance) -> None:
    """As PyVRP is told of them: those that differ in anything stay apart."""
    assert _alike(day) == [[v] for v in range(day.vehicles)]
    same = np.arange(day.n * 2 + day.vehicles)
    same[-1] = same[-2]
    twins = {name: getattr(day, name)[same] for name in ("early", "late")}
    twins |= {name: getattr(day, name)[same[2 * day.n :] - 2 * day.n] for name in ("capacity", "max_duty", "max_length")}
    twins |= {name: getattr(day, name)[np.ix_(same, same)] for name in ("lengths", "times")}
    twins["compatible"] = day.compatible[:, same[2 * day.n :] - 2 * day.n]
    two = replace(day, **twins)
    assert _alike(two) == [*([v] for v in range(day.vehicles - 2)), [day.vehicles - 2, day.vehicles - 1]]
    for name in ("early", "late", "max_duty", "max_length", "capacity"):
        other = getattr(two, name).copy()
        other[-1] += 1
        assert len(_alike(replace(two, **{name: other}))) == day.vehicles
    other = two.compatible.copy()
    other[0, -1] ^= True
    assert len(_alike(replace(two, compatible=other))) == day.vehicles


def test_a_refused_request_is_a_detour_and_nothing_else(day: Instance) -> None:
    longer = _detours(day.lengths, day.n, [4], 10**6) - day.lengths
    assert (longer[:, [4, day.n + 4]].sum(axis=0) == 10**6 * (len(longer) - 1)).all()
    assert np.delete(longer, [4, day.n + 4], axis=1).sum() == 0


def test_cordeaus_instances_are_read(data_file: Callable[[str], Path]) -> None:
    instance = cordeau(data_file("bench/darp_a/a2-16.txt"))
    assert (instance.n, instance.vehicles) == (16, 2)
    assert instance.best_known == (294.248, 0)
    assert (instance.early <= instance.late).all()
    found = judge(instance, nodes(instance, solve(to_problem(instance), SolveParams(iterations=3000)).routes))
    assert (found.illegal, found.unserved) == ("", 0)
    assert found.exact_length == pytest.approx(294.248, rel=0.01)


def test_li_and_lims_instances_are_read(data_file: Callable[[str], Path]) -> None:
    instance = lilim(data_file("bench/lilim_100/lc101.txt"))
    assert (instance.n, instance.vehicles) == (53, 25)
    found = judge(instance, nodes(instance, solve(to_problem(instance), SolveParams(iterations=3000)).routes))
    assert (found.illegal, found.unserved, found.vehicles) == ("", 0, 10)
    assert found.exact_length == pytest.approx(828.9369, rel=0.001)
