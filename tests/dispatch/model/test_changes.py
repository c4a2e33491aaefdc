"""One thing of a day changes, and nothing else."""

import datetime as dt
from typing import Any

import pytest

from dispatch.model.changes import apply_change
from dispatch.model.day import Day
from dispatch.model.plans import ChangeKind, SmallestChange
from tests.dispatch.planning.days import ask, driver, make_day

Parts = dict[str, Any]
DAY = make_day(
    drivers=(driver("d0", shifts=(("08:00", "12:00"), ("13:00", "18:00")), max_km=50, refuses=("b-r0", "b-r1")), driver("d1")),
    requests=(
        ask("r0", return_after="12:00", refuses=("d0", "d1"), requires_driver="d1"),
        ask("r1", depart_after="09:00", return_after="12:00", return_window_minutes=45),
    ),
)
CASES: list[tuple[ChangeKind, Parts, Parts]] = [
    (ChangeKind.WINDOW_LATER, {}, {"r0.arrive_by": "10:20", "r0.window_minutes": 50, "r0.return_window_minutes": 30}),
    (ChangeKind.WINDOW_EARLIER, {}, {"r0.window_minutes": 50, "r0.return_window_minutes": 30}),
    (ChangeKind.WINDOW_LATER, {"leg": "return"}, {"r0.return_window_minutes": 50}),
    (ChangeKind.WINDOW_EARLIER, {"leg": "return"}, {"r0.return_after": "11:40", "r0.return_window_minutes": 50}),
    (ChangeKind.WINDOW_LATER, {"request": "r1"}, {"r1.window_minutes": 50}),
    (ChangeKind.WINDOW_EARLIER, {"request": "r1"}, {"r1.depart_after": "08:40", "r1.window_minutes": 50}),
    (ChangeKind.SHIFT_UNTIL, {"driver": "d0", "shift": 0}, {"d0.shifts": (("08:00", "12:20"), ("13:00", "18:00"))}),
    (ChangeKind.SHIFT_FROM, {"driver": "d0", "shift": 1}, {"d0.shifts": (("08:00", "12:00"), ("12:40", "18:00"))}),
    (ChangeKind.MORE_KM, {"driver": "d0", "amount": 5}, {"d0.max_km": 55}),
    (ChangeKind.MORE_KM, {"driver": "d1", "amount": 5}, {}),
    (ChangeKind.ONE_MORE_SEAT, {"driver": "d1", "amount": 1}, {"d1.seats": 5}),
    (ChangeKind.ONE_MORE_WHEELCHAIR_PLACE, {"driver": "d1", "amount": 1}, {"d1.wheelchair_places": 1}),
    (ChangeKind.ONE_MORE_BOOT_UNIT, {"driver": "d1", "amount": 1}, {"d1.boot": 5}),
    (ChangeKind.ONE_WAY, {"amount": 1}, {"r0.one_way_ok": True}),
    (
        ChangeKind.REFUSAL_LIFTED,
        {"driver": "d0", "amount": 1},
        {"d0.refuses": ("b-r1",), "r0.refuses": ("d1",), "r0.requires_driver": None},
    ),
    (ChangeKind.REFUSAL_LIFTED, {"driver": "d1", "amount": 1}, {"r0.refuses": ("d0",)}),
]


def change_of(kind: ChangeKind, **parts: Any) -> SmallestChange:
    return SmallestChange(**({"kind": kind, "request": "r0", "leg": "outbound", "amount": 20, "sentence": "", "sentence_en": ""} | parts))


def differences(before: Day, after: Day) -> Parts:
    """Every field that changed, after the id of what it belongs to."""
    assert before.model_copy(update={"drivers": after.drivers, "requests": after.requests}) == after
    pairs = [*zip(before.drivers, after.drivers, strict=True), *zip(before.requests, after.requests, strict=True)]
    return {f"{old.id}.{name}": value for old, new in pairs for name, value in dict(new).items() if value != getattr(old, name)}


@pytest.mark.parametrize(("kind", "parts", "expected"), CASES)
def test_a_change_says_one_thing_and_the_other_way_keeps_its_window(kind: ChangeKind, parts: Parts, expected: Parts) -> None:
    assert differences(DAY, apply_change(DAY, change_of(kind, **parts))) == expected


def test_a_shift_that_grows_into_the_next_day_or_the_hour_that_comes_twice_is_written_with_its_offset() -> None:
    autumn = make_day(date=dt.date(2026, 10, 25), drivers=(driver("d0", shifts=(("04:00", "23:50"),)),), requests=(ask("r0"),))
    until = apply_change(autumn, change_of(ChangeKind.SHIFT_UNTIL, driver="d0", shift=0))
    assert until.drivers[0].shifts == (("04:00", "2026-10-26T00:10:00+01:00"),)
    since = apply_change(autumn, change_of(ChangeKind.SHIFT_FROM, driver="d0", shift=0, amount=90))
    assert since.drivers[0].shifts == (("2026-10-25T02:30:00+01:00", "23:50"),)
