"""Needs are a closed catalogue: what a driver must do or bring. Nobody can write a diagnosis down."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dispatch.model.intake import NewBeneficiary, NewTrip, NewVolunteer
from dispatch.model.needs import NEEDS, check_need, need_called
from dispatch.service import sample
from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.api.conftest import Service

PAGE = Path(__file__).parents[3] / "docs" / "needs.md"
DIAGNOSES = ["diabetes", "diabete", "cancer", "alzheimer", "depression", "hiv", "dialysis", "epilepsy", "kd", "mh", "ndd", "sd"]


@pytest.fixture
def service(sqlite: Database, demo_roads: RoadNetwork) -> Service:
    """As for the API."""
    return Service(sqlite, demo_roads)


@pytest.mark.parametrize("word", [*DIAGNOSES, "", "Cane", "cane ", "canne", "door to door", "__class__"])
def test_what_is_not_in_the_catalogue_is_refused_everywhere_without_an_echo(word: str) -> None:
    person = {"name": "Jeanne", "home": (2.3, 46.2)}
    ride = {"beneficiary_id": "0f0f0f0f-aaaa-4bbb-8ccc-000000000000", "origin": (2.3, 46.2), "destination": (2.4, 46.2)}
    ride |= {"arrive_by": "2026-11-24T10:40:00+01:00"}
    for model, values in (
        (NewBeneficiary, {**person, "needs": [word]}),
        (NewVolunteer, {**person, "accepts_needs": [word]}),
        (NewTrip, {**ride, "needs": [word]}),
    ):
        with pytest.raises(ValidationError) as error:
            model.model_validate(values)
        assert [found["loc"][-1] for found in error.value.errors()] == [0]
        assert not word or word not in str(error.value.errors()[0]["ctx"]["error"]).split()


def test_every_need_has_both_names_and_is_found_by_either() -> None:
    assert not set(DIAGNOSES) & set(NEEDS)
    assert len({label.casefold() for labels in NEEDS.values() for label in labels}) == 2 * len(NEEDS)
    for need, labels in NEEDS.items():
        assert check_need(need) == need_called(labels[0].upper()) == need_called(labels[1]) == need


def test_the_page_is_the_catalogue() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert {row[0].strip(" `"): (row[1].strip(), row[2].strip()) for row in rows} == dict(NEEDS)


def test_the_sample_days_people_have_needs_of_the_catalogue() -> None:
    assert {need for need, *_ in sample.NEEDS} <= set(NEEDS)


def test_the_catalogue_is_there_for_who_draws_a_form(service: Service) -> None:
    items = service.call("partner", "GET", "/v1/needs").json()["items"]
    assert items[0] == {"need": "fold_wheelchair", "label": "fauteuil roulant pliant", "label_en": "folding wheelchair"}
    assert len(items) == len(NEEDS)


def test_a_sheet_may_name_needs_as_people_do(service: Service) -> None:
    lon, lat = service.here.point()
    text = f"nom;domicile_lon;domicile_lat;besoins\nOdette;{lon};{lat};Canne|de porte à porte|walker\nJeanne;{lon};{lat};diabetes\n"
    headers = {"Content-Type": "text/csv"}
    path = "/v1/imports/beneficiaries?only_good=true"
    first, second = service.call("coordinator", "POST", path, content=text.encode(), headers=headers).json()["lines"]
    made = service.call("coordinator", "GET", f"/v1/beneficiaries/{first['id']}").json()
    assert made["needs"] == ["cane", "door_to_door", "walker"]
    assert second["errors"][0]["field"] == "needs[0]"
