"""What others change is shown by pieces of the board: the page is then as if made anew, and nothing under somebody's hand moves."""

import random
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.api.pages.conftest import Site, call
from tests.api.pages.test_day import movable, wait_for_quiet
from tests.browser import Screen

pytestmark = pytest.mark.browser

#: Whether the board of this page is what the service would make now; else where they part. What scripts add is left out.
_AS_MADE_ANEW = """async () => {
    const plain = (board) => {
        const bare = board.cloneNode(true)
        bare.querySelector(".nowline")?.remove()
        bare.querySelector("#round").textContent = "" // which says how the last round went, for as long as the page is there
        for (const one of bare.querySelectorAll("*")) {
            for (const name of ["style", "hidden", "data-kind", "data-now"]) one.removeAttribute(name)
            one.classList.remove("lit")
            if (one.getAttribute("class") === "") one.removeAttribute("class")
        }
        return bare.innerHTML.replace(/\\s+/g, " ").replaceAll("> <", "><").trim()
    }
    const answer = await fetch(`${location.pathname}/board?compared`)
    const anew = document.createElement("div")
    anew.innerHTML = await answer.text()
    const [mine, theirs] = [plain(document.getElementById("board")), plain(anew)]
    if (mine === theirs) return ""
    let at = 0
    while (mine[at] === theirs[at]) at++
    return `${mine.slice(at - 200, at + 200)}\\n--- anew:\\n${theirs.slice(at - 200, at + 200)}`
}"""
_TOP = "one => one.getBoundingClientRect().top"


def wait_until_as_made_anew(page: Page) -> None:
    parts = "?"
    for _ in range(40):
        if not (parts := page.evaluate(_AS_MADE_ANEW)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(parts)


def change_something(page: Page, rng: random.Random) -> str:
    """A yes, a no, a cancelled ride or one that is given to somebody else, as chance has it; what was done."""
    ways = page.evaluate("async () => (await (await fetch(`/v1/days/${location.pathname.split('/')[2]}`)).json()).ways")
    asked = [way for way in ways if way["offer_id"]]
    what = rng.choice(["accept", "accept", "decline", "cancel", "offer"])
    way = rng.choice(asked if what in ("accept", "decline") else ways)
    if what in ("accept", "decline"):
        wish = ["POST", f"/v1/offers/{way['offer_id']}/{what}", {"reason": "personal"} if what == "decline" else None]
    elif what == "cancel":
        wish = ["POST", f"/v1/trip-requests/{way['request_id']}/cancel", {"reason": "unable_to_make_trip", "leg": way["direction"]}]
    else:
        found = call(page, "GET", f"/v1/legs/{way['leg_id']}/candidates")[1]
        able = [one for one in found.get("items", ()) if one["fits"] and not one["asked_now"] and not one["answered"]]
        if not able:
            return "nothing"
        wish = ["POST", f"/v1/legs/{way['leg_id']}/offer", {"volunteer_id": rng.choice(able)["volunteer_id"]}]
    return f"{what} {call(page, *wish)[0]}"


def test_after_any_changes_the_page_is_as_if_it_had_been_made_anew(screen: Callable[..., Screen], site: Site) -> None:
    first, second = screen().enter("coordinator"), screen().enter("coordinator")
    pieces, boards = list[int](), list[str]()
    second.on("response", lambda answer: pieces.append(answer.status) if "/pieces?" in answer.url else None)
    second.on("request", lambda request: boards.append(request.url) if request.url.endswith("/board") else None)
    wait_for_quiet(first)
    second.wait_for_timeout(300)  # it listens
    wait_until_as_made_anew(second)
    rng, done = random.Random(5), list[str]()
    for _ in range(12):
        done.append(change_something(first, rng))
        wait_for_quiet(first)  # a round may have been at work
        wait_until_as_made_anew(second)
    assert sum(one.endswith(" 200") for one in done) >= 6, done
    assert pieces.count(200) >= 6, pieces
    assert set(pieces) <= {200, 205}, pieces


def offers(page: Page) -> list[dict[str, str]]:
    ways = page.evaluate("async () => (await (await fetch(`/v1/days/${location.pathname.split('/')[2]}`)).json()).ways")
    return [way for way in ways if way["offer_id"]]


def test_what_others_change_leaves_hand_and_eye_where_they_are(screen: Callable[..., Screen]) -> None:
    first, second = screen().enter("coordinator"), screen().enter("coordinator")
    wait_for_quiet(first)
    leg, volunteer, _ = movable(second)
    way, other = [one for one in offers(first) if one["leg_id"] != leg][:2]
    row, later = (second.locator(f'tr[data-legs="{one["leg_id"]}"][data-group="confirmed"]') for one in (way, other))
    button = second.locator(f"#way-{way['leg_id']} button")
    button.focus()
    stands = button.evaluate(_TOP)
    assert call(first, "POST", f"/v1/offers/{way['offer_id']}/accept")[0] == 200
    row.wait_for(state="attached")
    assert button.evaluate("one => one === document.activeElement")
    assert abs(button.evaluate(_TOP) - stands) < 3, "what is above may have become a little higher: the browser holds the place"

    second.set_viewport_size({"width": 1366, "height": 1600})
    second.locator(f'button.bar[data-legs^="{leg}"]').hover()
    second.mouse.down()
    for _ in range(2):  # a browser begins to drag with the second move
        second.locator(f'.lane[data-volunteer="{volunteer}"]').hover()
    second.locator(f'.lane[data-volunteer="{volunteer}"] .effect', has_text="km").wait_for()
    assert call(first, "POST", f"/v1/offers/{other['offer_id']}/accept")[0] == 200
    second.wait_for_timeout(500)
    assert later.count() == 0
    second.locator("header.top").hover()
    second.mouse.up()  # nowhere: nothing is asked
    later.wait_for(state="attached")
