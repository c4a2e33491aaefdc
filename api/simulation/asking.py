"""People ask for rides, by whoever enters their requests, some days ahead or for today; and some do not need them any more.

In: a stage and its people. Out: requests, over HTTP. Called by `simulation.month` once a day.
"""

import datetime as dt
from typing import Any

from api.simulation.eligible import Eligible
from api.simulation.people import REQUESTS_A_DAY, People, Resident
from api.simulation.stage import Stage

AHEAD = ((0, 0.10), (1, 0.25), (2, 0.20), (3, 0.15), (5, 0.15), (7, 0.15))  # days, with their shares; assumptions
CANCELLED = 0.06
OPEN_RETURN = 0.12  # share of ways back whose time nobody knows yet


class Asking:
    """The demand of a month."""

    def __init__(self, stage: Stage, people: People, eligible: Eligible) -> None:
        self._stage, self._people, self._eligible = stage, people, eligible

    def begin_day(self, day: dt.date) -> None:
        """Calls of one day, at any time between half past eight and half past six."""
        rng = self._stage.rng
        mean = REQUESTS_A_DAY * self._stage.wishes.demand * (1.0 if day.weekday() < 5 else 0.15)
        for _ in range(_poisson(rng, mean)):
            moment = self._stage.at(day, "08:30") + dt.timedelta(minutes=rng.uniform(0, 600))
            self._stage.plan(moment, self._ask)

    def _ask(self) -> None:
        stage, rng = self._stage, self._stage.rng
        who = rng.choice(self._people.residents)
        ahead = rng.choices([days for days, _ in AHEAD], [share for _, share in AHEAD])[0]
        body = self._wish(who, stage.today() + dt.timedelta(days=ahead))
        moment = dt.datetime.fromisoformat(body.get("arrive_by") or body["depart_after"])
        if stage.today() + dt.timedelta(days=ahead) >= stage.wishes.start + dt.timedelta(days=stage.wishes.days):
            return  # of a day that is not lived through
        if moment <= stage.now() + dt.timedelta(minutes=90):  # such calls are for a taxi
            return
        status, answer = self.caller(who).call("POST", "/v1/trip-requests", body)
        if status == 409:  # has a request at that time already
            stage.count("requests_refused_as_doubles")
            return
        if status == 422 and [fault["code"] for fault in answer["errors"]] == ["not_eligible"]:  # brings a new paper the day after
            stage.count("requests_refused_as_not_eligible")
            stage.plan(stage.at(stage.today() + dt.timedelta(days=1), "10:00"), lambda: self._eligible.renew(who.id))
            return
        if status != 202:
            raise AssertionError(f"a request was answered {status}: {answer}")
        stage.count("requests")
        stage.soon()
        if body.get("return_open"):
            ready = moment + dt.timedelta(minutes=rng.uniform(30, 150))
            stage.plan(ready, lambda: self._call_back(who, answer["id"]))
        if stage.chance(CANCELLED):
            before = moment - dt.timedelta(hours=rng.uniform(1, 40))
            stage.plan(before, lambda: self._cancel(who, answer["id"]))

    def caller(self, who: Resident) -> Any:
        """Whoever enters requests for this person."""
        return self._stage.callers[who.id if who.asks_by == "beneficiary" else who.asks_by]

    def _wish(self, who: Resident, day: dt.date) -> dict[str, Any]:
        wish = who.wish
        body: dict[str, Any] = {"beneficiary_id": who.id, "origin": wish.origin, "destination": wish.destination}
        for name in ("arrive_by", "depart_after", "return_after"):
            clock = getattr(wish, name)
            if clock is not None:
                body[name] = self._stage.at(day, clock[-5:]).isoformat()
        if "return_after" in body and self._stage.chance(OPEN_RETURN):
            del body["return_after"]
            body["return_open"] = True
        plain = ("window_minutes", "return_window_minutes", "seats", "one_way_ok", "same_driver")
        return body | {name: getattr(wish, name) for name in plain}

    def _call_back(self, who: Resident, request_id: str) -> None:
        """Ready to be brought back, unless nobody came or the ride was cancelled; some forget to call."""
        legs = {leg["direction"]: leg["state"] for leg in self._stage.coordinator.get(f"/v1/trip-requests/{request_id}")["legs"]}
        if legs.get("return") != "on_call" or legs["outbound"] not in ("on_board", "completed") or self._stage.chance(0.1):
            return
        body = {"ready_at": self._stage.now().isoformat()}
        status, answer = self.caller(who).call("POST", f"/v1/trip-requests/{request_id}/return", body)
        if status not in (200, 409):
            raise AssertionError(f"a call for the way back was answered {status}: {answer}")
        self._stage.count("calls_for_the_way_back", status == 200)
        self._stage.soon()

    def _cancel(self, who: Resident, request_id: str) -> None:
        status, _ = self.caller(who).call("POST", f"/v1/trip-requests/{request_id}/cancel")
        if status not in (200, 409):
            raise AssertionError(f"cancelling was answered {status}")
        self._stage.count("cancellations", status == 200)
        self._stage.soon()


def _poisson(rng: Any, mean: float) -> int:
    """Arrivals of one day: exponential gaps, counted."""
    count, at = 0, rng.expovariate(1.0) if mean > 0 else 1.0
    while mean > 0 and at < mean:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count
