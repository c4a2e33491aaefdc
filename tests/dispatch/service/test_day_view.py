"""A day as whoever coordinates sees it: everything that was planned is there, once, in order of time."""

import datetime as dt
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from dispatch.service.day_view import pieces_of, touched_by, view_day, view_part
from dispatch.service.offers import accept_offer
from dispatch.storage.database import Database
from dispatch.storage.driving import RunStop
from dispatch.storage.tables import Offer, Run
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory

AT = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)


def stop(minute: int, kind: str, leg: UUID | None = None, stay: int = 0) -> RunStop:
    return RunStop(kind=kind, leg_id=leg, arrive_at=AT + dt.timedelta(minutes=minute), depart_at=AT + dt.timedelta(minutes=minute + stay))


def test_a_run_is_cut_where_the_car_is_empty_and_where_it_waits() -> None:
    a, b, c = uuid4(), uuid4(), uuid4()
    stops = [
        stop(0, "home"), stop(10, "pickup", a), stop(15, "pickup", b), stop(25, "dropoff", a), stop(30, "dropoff", b),
        stop(45, "home", stay=20), stop(75, "pickup", c, stay=5), stop(90, "dropoff", c, stay=2), stop(100, "home"),
    ]  # fmt: skip
    run = Run(starts_at=AT, ends_at=AT + dt.timedelta(minutes=100))
    pieces = list(pieces_of(run, stops, {a, b, c}))
    minutes = [(p.kind, (p.starts_at - AT).seconds // 60, (p.ends_at - AT).seconds // 60) for p in pieces]
    assert minutes == [
        ("empty", 0, 10),
        ("loaded", 10, 30), ("empty", 30, 45), ("wait", 45, 65), ("empty", 65, 75), ("loaded", 75, 92), ("empty", 92, 100),
    ]  # fmt: skip
    assert [p.leg_ids for p in pieces if p.kind == "loaded"] == [(a, b), (c,)]


def test_a_run_whose_stops_are_not_known_is_one_piece() -> None:
    leg = uuid4()
    run = Run(starts_at=AT, ends_at=AT + dt.timedelta(hours=1))
    assert [(p.kind, p.leg_ids) for p in pieces_of(run, [], {leg})] == [("loaded", (leg,))]


@pytest.mark.parametrize("answered", [False, True])
def test_a_day_shows_each_way_with_what_it_means_and_who_drives(sqlite: Database, demo_roads: RoadNetwork, answered: bool) -> None:
    place = TestTerritory(sqlite, demo_roads, "Ici", 1)
    person, other, volunteer = place.person("Jeanne Roussel"), place.person("Marcel Duval"), place.volunteer("Jean Morel")
    served, left = place.ask(person), place.ask(other)
    place.run_round({(served, "outbound"): (volunteer, "10:00"), (served, "return"): (volunteer, "11:40")})
    asked = place.offer(served).id
    if answered:
        with place.store() as store:
            accept_offer(store, store.get(Offer, asked), place.world)
    with place.store() as store:
        view = view_day(store, store.requests([served])[served].service_date)
        changed = [{("leg", way.leg.id)} for way in view.ways] + [{("request", served)}, {("offer", asked)}]
        parts = [view_part(store, view.date, touched_by(store, steps)) for steps in changed]
    ways = {(way.request.id, way.leg.direction): way for way in view.ways}
    assert set(ways) == {(request, way) for request in (served, left) for way in ("outbound", "return")}
    assert {ways[served, way].group for way in ("outbound", "return")} == {"confirmed" if answered else "asked"}
    assert (ways[served, "outbound"].offer is None) == answered
    assert ways[left, "outbound"].held is None
    assert [(lane.identity.name, len(lane.runs)) for lane in view.lanes if lane.runs] == [("Jean Morel", 1)]
    assert [way.at for way in view.ways] == sorted(way.at for way in view.ways)
    assert sum(view.counts.values()) == 4
    for part in parts:  # what is looked at again is as it is in the whole day, with the figures of the whole day
        assert set(part.ways) <= set(view.ways)
        assert set(part.lanes) <= set(view.lanes)
        assert replace(part, ways=view.ways, lanes=view.lanes) == view
    assert {way for part in parts for way in part.ways} == set(view.ways)
    assert all(lane in part.lanes for part in parts[-2:] for lane in view.lanes if lane.runs)
