"""The published schemas are those of the models, and the models' own output fits them."""

import json
from pathlib import Path

import jsonschema
import pytest

from dispatch.planning.explain import explain_unserved
from dispatch.planning.solve import SolveParams, solve
from dispatch.planning.timetable import make_plan
from dispatch.schemas import schema_text
from tests.dispatch.planning.days import plane_problem, random_day

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("noun", ["day", "plan"])
def test_the_schema_in_docs_is_fresh(noun: str) -> None:
    """When it is not: allons schema NOUN > docs/NOUN.schema.json."""
    assert (DOCS / f"{noun}.schema.json").read_text(encoding="utf-8") == schema_text(noun)


def test_a_day_and_its_plan_fit_their_schemas() -> None:
    day = random_day(4)
    problem = plane_problem(day)
    routes = solve(problem, SolveParams(iterations=50)).routes
    plan = make_plan(problem, routes, explain_unserved(problem, routes), [], None)
    for noun, model in (("day", day), ("plan", plan)):
        jsonschema.Draft202012Validator(json.loads(schema_text(noun))).validate(json.loads(model.model_dump_json()))
