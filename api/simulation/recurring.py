"""People whose rides come again every week, such as to dialysis; some skip a day, and some need another hour from a day on.

In: a stage and its people. Out: series, over HTTP. Called by `simulation.month` once, on its first day.
"""

import datetime as dt
from functools import partial
from random import Random
from typing import Any

from api.simulation.asking import Asking
from api.simulation.people import People, Resident
from api.simulation.stage import Stage

SHARE = 0.05  # of all people; an assumption
PATTERNS = ((1, 3, 5), (2, 4), (1, 2, 3, 4, 5))  # dialysis, a day centre, work
SKIPPED = 0.5  # once in the time that is simulated


class Recurring:
    """The series of a month."""

    def __init__(self, stage: Stage, people: People, asking: Asking) -> None:
        self._stage, self._people, self._asking = stage, people, asking
        self._rng = Random(stage.wishes.seed)  # its own: what others do stays as it is without series

    def begin(self) -> None:
        """Early on the first day."""
        wishes, residents = self._stage.wishes, self._people.residents
        for who in self._rng.sample(residents, max(1, round(SHARE * len(residents)))):
            wish = self._wish(who)
            made = self._ask(who, "POST", "/v1/series", wish)
            self._stage.count("series")
            self._stage.count("rides_of_series", len(made["made"]))
            later = self._stage.at(wishes.start + dt.timedelta(days=self._rng.randrange(wishes.days)), "13:00")
            if self._rng.random() < SKIPPED:
                self._stage.plan(later, partial(self._skip, who, made["series"]["id"]))
            else:
                self._stage.plan(later, partial(self._change, who, made["series"]["id"], wish))

    def _wish(self, who: Resident) -> dict[str, Any]:
        plain = ("seats", "window_minutes", "return_window_minutes", "one_way_ok", "same_driver")
        times = {
            name: clock[-5:] for name in ("arrive_by", "depart_after", "return_after") if (clock := getattr(who.wish, name)) is not None
        }
        first = self._stage.wishes.start
        lived = {(first + dt.timedelta(days=number)).isoweekday() for number in range(self._stage.wishes.days)}
        last = first + dt.timedelta(days=self._stage.wishes.days - 1)  # nobody asks for a day that is not lived through
        return times | {
            "beneficiary_id": who.id,
            "origin": who.wish.origin,
            "destination": who.wish.destination,
            **{name: getattr(who.wish, name) for name in plain},
            "weekdays": self._rng.choice([pattern for pattern in PATTERNS if lived & set(pattern)] or [tuple(lived)]),
            "except_holidays": ["public"],
            "override": who.asks_by == "coordinator",
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
        }

    def _skip(self, who: Resident, series_id: str) -> None:
        """The next ride, whoever has agreed to drive."""
        ahead = self._asking.caller(who).get(f"/v1/series/{series_id}")["dates"]
        today = self._stage.today().isoformat()
        if days := [date["day"] for date in ahead if date["state"] == "accepted" and date["day"] > today]:
            found = self._ask(who, "POST", f"/v1/series/{series_id}/skip?also_promised=true", {"first_day": days[0]})
            self._stage.count("rides_of_series_skipped", found["cancelled"])

    def _change(self, who: Resident, series_id: str, wish: dict[str, Any]) -> None:
        """Ten minutes earlier from the day after tomorrow on; what was promised stays."""
        first = self._stage.today() + dt.timedelta(days=2)
        name = "arrive_by" if "arrive_by" in wish else "depart_after"
        earlier = (dt.datetime.combine(first, dt.time.fromisoformat(wish[name])) - dt.timedelta(minutes=10)).strftime("%H:%M")
        if first.isoformat() > wish["last_day"] or earlier > wish[name]:
            return
        body = {**wish, "first_day": first.isoformat(), name: earlier}
        status, found = self._asking.caller(who).call("PUT", f"/v1/series/{series_id}", body, {"If-Match": '"v1"'})
        if status == 422:  # no day of it is left by then
            return
        if status != 200:
            raise AssertionError(f"a change of a series was answered {status}: {found}")
        self._stage.count("series_changed")
        self._stage.count("rides_of_series", len(found["made"]))
        self._stage.count("rides_of_series_kept", len(found["kept"]))
        self._stage.soon()

    def _ask(self, who: Resident, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        status, answer = self._asking.caller(who).call(method, path, body)
        if status not in (200, 201):
            raise AssertionError(f"a series was answered {status}: {answer}")
        self._stage.soon()
        found: dict[str, Any] = answer
        return found
