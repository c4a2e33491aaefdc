"""What goes wrong with volunteers: somebody is ill tomorrow, and says so in the evening; a paper ends in the middle of the month.

In: a stage and its people. Out: absences and papers, over HTTP. Called by `simulation.month` every day.
"""

import datetime as dt

from api.simulation.people import People
from api.simulation.stage import Stage

ABSENT = 0.02  # share of days of a volunteer of which somebody says, the evening before, that they are not possible
PAPERS = 0.15  # share of volunteers whose insurance ends within the month
BLOCKING = {"kinds": [{"code": "insurance", "fr": "Assurance", "en": "Insurance", "required": True, "blocking": True}]}


class Troubles:
    """Of volunteers."""

    def __init__(self, stage: Stage, people: People) -> None:
        self._stage, self._people = stage, people

    def file_papers(self) -> None:
        """Everybody's insurance is handed in and looked at; some of them end soon."""
        stage = self._stage
        for helper in self._people.helpers:
            days = stage.rng.randrange(5, 25) if stage.chance(PAPERS) else 300
            ends = stage.wishes.start + dt.timedelta(days=days)
            body = {"kind": "insurance", "issued_on": (ends - dt.timedelta(days=365)).isoformat(), "expires_on": ends.isoformat()}
            paper = stage.callers[helper.id].make(f"/v1/volunteers/{helper.id}/credentials", body)
            stage.coordinator.make(f"/v1/credentials/{paper['id']}/verify", {})
            if days < 300 and stage.chance(0.6):  # most hand in the next one, some days late
                renewed = stage.at(ends + dt.timedelta(days=stage.rng.randrange(0, 4)), "10:00")
                stage.plan(renewed, lambda helper_id=helper.id, begins=ends: self._renew(helper_id, begins))  # type: ignore[misc]

    def _renew(self, volunteer: str, begins: dt.date) -> None:
        body = {"kind": "insurance", "issued_on": begins.isoformat(), "expires_on": (begins + dt.timedelta(days=365)).isoformat()}
        paper = self._stage.callers[volunteer].make(f"/v1/volunteers/{volunteer}/credentials", body)
        self._stage.coordinator.make(f"/v1/credentials/{paper['id']}/verify", {})
        self._stage.count("papers_renewed")

    def begin_day(self, day: dt.date) -> None:
        """This evening some will say that tomorrow is not possible."""
        for helper in self._people.helpers:
            if self._stage.chance(ABSENT):
                moment = self._stage.at(day, "18:00") + dt.timedelta(minutes=self._stage.rng.uniform(0, 120))
                self._stage.plan(moment, lambda volunteer=helper.id: self._be_absent(volunteer))  # type: ignore[misc]

    def _be_absent(self, volunteer: str) -> None:
        tomorrow = self._stage.today() + dt.timedelta(days=1)
        status, answer = self._stage.callers[volunteer].call(
            "POST", f"/v1/volunteers/{volunteer}/absences", {"first_day": tomorrow.isoformat()}
        )
        if status not in (201, 409):  # 409: away already, or on the way
            raise AssertionError(f"an absence was answered {status}: {answer}")
        self._stage.count("absences", status == 201)
        if status == 201:
            self._stage.count("rides_reopened_by_absences", len(answer["touched"]))
        self._stage.soon()
