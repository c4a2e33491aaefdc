"""While a plan is made the world goes on: a cancelled ride is never revived, a plan is saved whole over what it knew, or not."""

import random
import threading
from uuid import UUID

import pytest

from dispatch.errors import Conflict
from dispatch.service.offers import accept_offer, decline_offer
from dispatch.service.rounds import save_round
from dispatch.service.trips import cancel_trip
from dispatch.storage.database import Database
from dispatch.storage.log import Event
from dispatch.storage.store import Store
from dispatch.storage.tables import TripRequest
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, make_plan

ROUNDS = 60


def check(place: TestTerritory, requests: list[UUID]) -> None:
    """What holds after every step: cancelled is final, who is offered or confirmed has a volunteer, the log tells every state."""
    with place.store() as store:
        legs = store.legs_of(requests)
        active = store.active_assignments([leg.id for ways in legs.values() for leg in ways])
        for request in requests:
            row = store.get(TripRequest, request)
            open_offers = store.offers_of([request], "sent", "accepted")
            for leg in legs[request]:
                events: list[Event] = list(store.events(leg.id))
                assert [event.after for event in events][-1:] == ([leg.state] if events else [])
                assert "cancelled" not in [event.before for event in events]
                if row.state == "cancelled":
                    assert leg.state == "cancelled"
                    assert leg.id not in active
                assert (leg.id in active) == (leg.state in ("offered", "confirmed"))
            assert (row.state == "cancelled") <= (not open_offers)


@pytest.mark.parametrize("seed", range(4))
def test_rides_that_are_cancelled_answered_or_new_while_the_plan_is_made(seed: int, database: Database, demo_roads: RoadNetwork) -> None:
    place, rng = TestTerritory(database, demo_roads), random.Random(seed)
    volunteers = [place.volunteer(f"V{k}") for k in range(4)]
    requests = [place.ask(back=None, arrive=f"{9 + k % 9:02}:{k % 2 * 30:02}") for k in range(10)]
    for _ in range(ROUNDS // 4):
        snapshot = place.snapshot()
        served = {(r, "outbound"): (rng.choice(volunteers), "10:00") for r in requests if rng.random() < 0.8}
        left = tuple((r, "outbound") for r in requests if (r, "outbound") not in served and rng.random() < 0.8)
        plan = make_plan(served, unserved=left)
        gate = threading.Barrier(2)

        def meanwhile(gate: threading.Barrier = gate, seed: int = rng.getrandbits(32)) -> None:
            mine = random.Random(seed)
            gate.wait()
            for request in mine.sample(requests, 3):
                try:
                    with place.store() as store:
                        offers = store.offers_of([request], "sent")
                        what = mine.choice(["cancel", "accept", "decline"]) if offers else "cancel"
                        if what == "cancel" and mine.random() < 0.3:
                            cancel_trip(store, store.get(TripRequest, request), place.world)
                        elif what == "accept":
                            accept_offer(store, offers[0], place.world)
                        elif what == "decline":
                            decline_offer(store, offers[0], "other", place.world)
                except Conflict:
                    pass  # the plan was saved at this very moment, or it was cancelled before

        thread = threading.Thread(target=meanwhile)
        thread.start()
        gate.wait()
        try:
            with place.database.write("solver") as session:
                save_round(Store(session, place.id), snapshot, plan, 240, place.world)
        except Conflict:
            with place.store() as store:
                assert store.rounds_to_run() == []  # whole or not at all: the round is still ours
                store.move(store.hold_round(snapshot.round_id, snapshot.token, 0.0), "failed", place.world)
        thread.join()
        check(place, requests)
        requests.append(place.ask(back=None, arrive=f"{rng.randrange(9, 18):02}:15"))
