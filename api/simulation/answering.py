"""Volunteers say when they are free, and answer offers: yes, no, or nothing.

In: a stage and its people. Out: spans and answers, over HTTP. Called by `simulation.month`.
"""

import datetime as dt
from typing import Any

from api.simulation.people import Helper, People
from api.simulation.stage import Stage

REASONS = ("schedule_conflict", "too_far", "vehicle_issue", "personal", "other")
DAYS_FREE = 0.6  # share of weekdays on which a volunteer is free
SPANS = (("08:00", "12:30"), ("13:00", "18:30"), ("07:30", "18:30"))


class Answering:
    """The goodwill of a month."""

    def __init__(self, stage: Stage, people: People) -> None:
        self._stage = stage
        self._helpers = {helper.id: helper for helper in people.helpers}
        self._asked: set[str] = set()

    def say_when(self, day: dt.date) -> None:
        """Spans of one day, given two weeks before, or at the beginning."""
        for helper in self._helpers.values():
            if self._stage.chance(DAYS_FREE if day.weekday() < 5 else 0.25):
                starts, ends = self._stage.rng.choice(SPANS)
                span = {"starts_at": self._stage.at(day, starts).isoformat(), "ends_at": self._stage.at(day, ends).isoformat()}
                self._stage.callers[helper.id].make(f"/v1/volunteers/{helper.id}/availability", span)

    def look(self) -> None:
        """Everybody finds the offers they have not seen yet, and will answer in their own time."""
        for offer in self._stage.coordinator.all("/v1/offers", state="sent"):
            if offer["id"] not in self._asked:
                self._asked.add(offer["id"])
                self._stage.count("offers")
                self._think(self._helpers[offer["volunteer_id"]], offer)

    def _think(self, helper: Helper, offer: Any) -> None:
        rng = self._stage.rng
        if self._stage.chance(helper.says_nothing):
            return
        moment = self._stage.now() + dt.timedelta(minutes=rng.expovariate(1 / helper.minutes))
        step = "accept" if self._stage.chance(helper.says_yes) else "decline"
        body = None if step == "accept" else {"reason": rng.choice(REASONS)}
        self._stage.plan(moment, lambda: self._answer(helper, offer["id"], step, body))

    def _answer(self, helper: Helper, offer_id: str, step: str, body: Any) -> None:
        status, answer = self._stage.callers[helper.id].call("POST", f"/v1/offers/{offer_id}/{step}", body)
        if status not in (200, 409):  # 409: lapsed or withdrawn meanwhile
            raise AssertionError(f"an answer was answered {status}: {answer}")
        self._stage.count(
            f"offers_{step}ed" if status == 200 and step == "accept" else f"offers_{step}d" if status == 200 else "answers_too_late"
        )
        self._stage.soon()
