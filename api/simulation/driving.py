"""The day is driven: volunteers tap what they do, some forget to, some are late; some people are not there, some call for the way back.

In: a stage. Out: taps and calls, over HTTP. Called by `simulation.month` every morning, and whenever something new was agreed on.
"""

import datetime as dt
from typing import Any

from api.simulation.eligible import Eligible
from api.simulation.stage import Stage

NO_SHOW = 0.02  # share of rides there on which nobody is at the door
FORGETS = 0.03  # share of rides that nobody taps: the coordination finds out
TAPS = (("en_route", -20), ("at_pickup", -2), ("on_board", 3))  # with minutes around the time told


class Driving:
    """What happens to rides that were agreed on."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._known: set[tuple[str, str]] = set()  # rides that are planned for, with the time that was told

    def look(self) -> None:
        """Every ride agreed on for today that was not known yet will be driven."""
        today = self._stage.today().isoformat()
        for run in self._stage.coordinator.all("/v1/runs", date=today):
            if run["state"] == "cancelled":
                continue
            arrivals = {step["leg_id"]: step["arrive_at"] for step in run["steps"] if step["kind"] == "dropoff"}
            for rider in run["riders"]:
                about = (rider["leg_id"], rider["told_pickup_at"])
                if rider["state"] == "confirmed" and about not in self._known:
                    self._known.add(about)
                    self._drive(run["volunteer_id"], rider, dt.datetime.fromisoformat(arrivals[rider["leg_id"]]))

    def _drive(self, volunteer: str, rider: Any, arrival: dt.datetime) -> None:
        stage, told = self._stage, dt.datetime.fromisoformat(rider["told_pickup_at"])
        if stage.chance(FORGETS):
            stage.count("rides_nobody_tapped")
            return
        late = dt.timedelta(minutes=max(0.0, stage.rng.gauss(0, 4)))
        steps = [(state, told + dt.timedelta(minutes=minutes) + late) for state, minutes in TAPS]
        if rider["direction"] == "outbound" and stage.chance(NO_SHOW):
            steps = [*steps[:2], ("no_show", max(told, steps[1][1]) + dt.timedelta(minutes=11))]
        else:
            steps.append(("completed", max(arrival + late, steps[-1][1] + dt.timedelta(minutes=4))))
        for state, moment in steps:
            network = dt.timedelta(minutes=stage.rng.choice((0, 0, 0, 0, 45)))  # sometimes there is none for a while
            stage.plan(moment + network, self._tapping(volunteer, rider["leg_id"], told, state, moment))

    def _tapping(self, volunteer: str, leg: str, told: dt.datetime, state: str, moment: dt.datetime) -> Any:
        tap = {"id": str(self._stage.service.world.new_id()), "state": state, "at": moment.isoformat()}

        def act() -> None:
            if (leg, told.isoformat().replace("+00:00", "Z")) not in self._known and (leg, told.isoformat()) not in self._known:
                return
            status, answer = self._stage.callers[volunteer].call("POST", f"/v1/legs/{leg}/status", tap)
            if status not in (200, 404, 409):  # 404: somebody else drives meanwhile; 409: cancelled meanwhile
                raise AssertionError(f"a tap was answered {status}: {answer}")
            self._stage.count(f"taps_{state}", status == 200)
            if status == 200 and self._stage.chance(0.02):  # the phone did not hear the answer and says it again
                self._stage.callers[volunteer].call("POST", f"/v1/legs/{leg}/status", tap)
            self._stage.soon()

        return act


class Calling:
    """The coordinator looks at what needs a human, and does something about it."""

    def __init__(self, stage: Stage, eligible: Eligible) -> None:
        self._stage, self._eligible = stage, eligible

    def look(self) -> None:
        """Once around the list."""
        for entry in self._stage.coordinator.get("/v1/attention")["items"]:
            getattr(self, f"_{entry['kind']}")(entry)

    def _to_decide(self, entry: Any) -> None:
        self._step(f"/v1/trip-requests/{entry['request_id']}/accept", None, "requests_accepted_by_hand")

    def _uncovered(self, entry: Any) -> None:
        """Every round tries again: nothing to do yet."""

    def _late(self, entry: Any) -> None:
        """The person hears of it without anybody's doing."""

    def _not_told(self, entry: Any) -> None:
        """Everybody here can be reached."""

    def _sms_to_read(self, entry: Any) -> None:
        """Nobody here writes what cannot be read."""

    def _eligibility_ends(self, entry: Any) -> None:
        """Somebody asks for the next paper, and has it."""
        self._eligible.renew(entry["person_id"])

    def _not_eligible(self, entry: Any) -> None:
        """As before its end."""
        self._eligibility_ends(entry)

    def _stranded(self, entry: Any) -> None:
        """When nobody is found in time, a taxi brings the person back."""
        if dt.datetime.fromisoformat(entry["until"]) <= self._stage.now() + dt.timedelta(minutes=30):
            body = {"reason": "other_transport", "leg": "return"}
            self._step(f"/v1/trip-requests/{entry['request_id']}/cancel", body, "taxis_for_the_way_back")

    def _not_called(self, entry: Any) -> None:
        body = {"ready_at": self._stage.now().isoformat()}
        self._step(f"/v1/trip-requests/{entry['request_id']}/return", body, "asked_for_the_way_back")

    def _not_started(self, entry: Any) -> None:
        """The volunteer is called: it was driven, or nobody came."""
        late = dt.datetime.fromisoformat(entry["until"]) + dt.timedelta(minutes=90)
        if self._stage.now() < late:
            return
        state = "missed" if self._stage.chance(0.3) else "completed"
        tap = {"id": str(self._stage.service.world.new_id()), "state": state, "at": self._stage.now().isoformat()}
        self._step(f"/v1/legs/{entry['leg_id']}/status", tap, f"found_out_{state}")

    def _not_finished(self, entry: Any) -> None:
        tap = {"id": str(self._stage.service.world.new_id()), "state": "completed", "at": self._stage.now().isoformat()}
        self._step(f"/v1/legs/{entry['leg_id']}/status", tap, "found_out_completed")

    def _step(self, path: str, body: Any, what: str) -> None:
        status, answer = self._stage.coordinator.call("POST", path, body)
        if status not in (200, 409):
            raise AssertionError(f"POST {path}: {status} {answer}")
        self._stage.count(what, status == 200)
        self._stage.soon()
