"""One table from codes to statuses, complete; titles in the reader's language."""

import pytest

from api.errors import STATUS
from dispatch.errors import DispatchError
from routing.errors import RoutingError
from tests.api.conftest import Service


def tree(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


def test_every_error_of_both_trees_has_a_status() -> None:
    codes = {error.code for root in (DispatchError, RoutingError) for error in tree(root)}  # type: ignore[attr-defined]
    own = {"unreadable", "method_not_allowed", "headers_too_large", "too_large", "not_json", "not_csv", "not_a_file", "internal"}
    assert codes | own == set(STATUS)


@pytest.mark.parametrize(
    ("language", "title"),
    [("fr-FR,fr;q=0.9", "Cela n'existe pas ici"), ("en", "There is no such thing here"), ("", "There is no such thing here")],
)
def test_titles_are_in_the_language_that_is_asked_for(service: Service, language: str, title: str) -> None:
    answer = service.call("coordinator", "GET", "/v1/offers/x", headers={"Accept-Language": language})
    assert answer.json()["title"] == title


def test_a_problem_has_the_members_of_rfc_9457_and_names_its_request(service: Service) -> None:
    answer = service.call("coordinator", "POST", "/v1/rounds", json={})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "errors", "action"} == set(problem)
    assert problem["status"] == answer.status_code == 422
    assert problem["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert problem["errors"] == [{"pointer": "date", "code": "missing", "detail": "is missing"}]
