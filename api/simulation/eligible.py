"""Who may ask in the simulated territory: everybody's eligibility is written, some people's ends and is renewed when somebody notices.

In: a stage, ids of people. Out: eligibility, over HTTP. Called by `simulation.month`, after a refusal, and by the coordinator's list.
"""

import datetime as dt

from api.simulation.stage import Stage

TEMPORARY = 10  # one in so many
FIRST, RENEWED = dt.timedelta(days=9), dt.timedelta(days=60)


class Eligible:
    """The coordinator, with people's files."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._versions: dict[str, int] = {}  # of files: nothing else changes them here

    def write_all(self, people: list[str]) -> None:
        """Most without end."""
        for number, person in enumerate(people):
            self._write(person, self._stage.wishes.start + FIRST if number % TEMPORARY == 0 else None)

    def renew(self, person: str) -> None:
        """A new paper was seen."""
        self._write(person, self._stage.today() + RENEWED)
        self._stage.count("eligibility_renewed")
        self._stage.soon()

    def _write(self, person: str, until: dt.date | None) -> None:
        end = {"kind": "temporary", "valid_until": until.isoformat()} if until else {"kind": "unconditional"}
        version = self._versions.get(person, 1)
        path, seen = f"/v1/beneficiaries/{person}/eligibility", self._stage.today().isoformat()
        body = {**end, "proof": "paper", "seen_on": seen}
        status, answer = self._stage.coordinator.call("PUT", path, body, {"If-Match": f'"v{version}"'})
        if status != 200:
            raise AssertionError(f"eligibility was answered {status}: {answer}")
        self._versions[person] = version + 1
        self._stage.count("rides_of_series", answer["taken_up"])
