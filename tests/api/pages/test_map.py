"""The map: drawn from our own tiles, asking nobody else, and the day that drives on it."""

import base64
import gzip
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from api.pages.basemap import map_origin
from api.pages.render import page as rendered
from api.pages.static import asset
from dispatch.settings import Settings
from tests.api.conftest import Service
from tests.api.pages.conftest import Site
from tests.browser import PROGRAM, Screen
from tests.routing.basemap.reading import read_tile, tile_of

PUT = """async ([html, script, style, gone]) => {
    document.querySelector("main").innerHTML = "<h1>Demain</h1>" + html
    for (const href of [style]) document.head.append(Object.assign(document.createElement("link"), {rel: "stylesheet", href}))
    window.heard = []
    document.addEventListener("allons:hover", (event) => window.heard.push(event.detail))
    document.addEventListener("allons:map", (event) => { window.drawn = event.detail.map }, {capture: true})
    await import(script)
}"""
#: How many pixels of a picture have each of its colours, the most first.
COLOURS = """async (picture) => {
    const image = Object.assign(new Image(), {src: picture})
    await image.decode()
    const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height})
    const pen = canvas.getContext("2d")
    pen.drawImage(image, 0, 0)
    const counts = new Map()
    const data = pen.getImageData(0, 0, image.width, image.height).data
    for (let k = 0; k < data.length; k += 4) {
        const colour = `${data[k]},${data[k + 1]},${data[k + 2]}`
        counts.set(colour, (counts.get(colour) ?? 0) + 1)
    }
    return [...counts.values()].sort((a, b) => b - a).map((count) => count / (image.width * image.height))
}"""
READY = "() => window.drawn?.loaded() && window.drawn.areTilesLoaded() && !document.querySelector('allons-map').hasAttribute('aria-busy')"


@pytest.fixture
def office(site: Site) -> Any:
    """The demo's coordinator, without a browser."""
    with httpx2.Client(base_url=site.address, follow_redirects=False) as client:
        cookie = client.post("/demo/coordinator").headers["set-cookie"].split(";")[0]
        client.headers["cookie"] = cookie  # it is marked for HTTPS alone, which this client would not send
        yield client


def put_map(one: Screen, site: Site, src: str) -> Any:
    """A page of the demo with a map on it, as a coordinator has it."""
    page = one.enter("coordinator", "/login")
    html = bytes(rendered("map.html", "fr", {"map_src": src, "map_label": "Carte de la journée"}).body).decode()
    page.evaluate(PUT, [html, asset("map.js"), asset("console.css"), ""])
    return page


def day_of(site: Site) -> str:
    return f"/v1/days/{site.demo.date}/map"


def test_tiles_are_open_kept_and_the_same_packed_or_not(site: Site) -> None:
    with httpx2.Client(base_url=site.address) as client:
        about = client.get("/map/about.json")
        assert client.get("/map/about.json", headers={"If-None-Match": about.headers["etag"]}).status_code == 304
        known = about.json()
        middle = (sum(known["bounds"][::2]) / 2, sum(known["bounds"][1::2]) / 2)
        x, y = tile_of(11, *middle)
        address = known["tiles"].format(z=11, x=x, y=y)
        packed, plain = client.get(address), client.get(address, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content
        assert {"road", "land", "place"} <= read_tile(plain.content).keys()
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert client.get(address, headers={"If-None-Match": packed.headers["etag"]}).status_code == 304
        assert client.get(known["tiles"].format(z=11, x=0, y=0)).content == b""
        old = address.replace(address.split("/")[2], "0" * 32)
        assert client.get(old).headers["cache-control"] == "no-cache"
        assert client.get(address.replace(f"/{x}/", "/-1/")).status_code in (404, 422)


def test_where_there_is_no_map_that_is_said_and_the_rest_works(service: Service) -> None:
    known = service.client.get("/map/about.json").json()
    assert known["tiles"] is None
    assert len(known["bounds"]) == 4
    assert service.client.get(f"/map/{'0' * 32}/11/1/1.mvt").status_code == 404


def test_a_style_of_ones_own_may_be_fetched_and_nothing_of_it_run() -> None:
    own = map_origin(Settings(map_style="https://maps.example.org/osm/style.json"))
    policy = rendered("map.html", "fr", {"map_src": "", "map_label": ""}, maps_from=own).headers["content-security-policy"]
    told = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert told["connect-src"] == "'self' https://maps.example.org"
    assert told["img-src"] == "'self' https://maps.example.org data:"
    assert told["script-src"] == told["worker-src"] == "'self'"
    assert map_origin(Settings()) == ""


def test_everybodys_way_is_drawn_along_the_roads_from_pickup_to_drop_off(site: Site, office: httpx2.Client) -> None:
    features = office.get(day_of(site)).json()["features"]
    spots = [(f["properties"], f["geometry"]["coordinates"]) for f in features if f["geometry"]["type"] == "Point"]
    ways = [(f["properties"], f["geometry"]["coordinates"]) for f in features if f["geometry"]["type"] == "LineString"]
    legs = {leg for about, _ in ways for leg in about["leg_ids"]}
    assert len(legs) > 5
    for leg in legs:
        at = {about["kind"]: (about["at"], place) for about, place in spots if about["leg_id"] == leg}
        mine = sorted((about["leaves_at"], about["arrives_at"], line) for about, line in ways if leg in about["leg_ids"])
        assert mine[0][0] >= at["pickup"][0]
        assert mine[-1][1] <= at["dropoff"][0]
        assert _near(mine[0][2][0], at["pickup"][1])
        assert _near(mine[-1][2][-1], at["dropoff"][1])
        assert all(_near(before[2][-1], after[2][0]) for before, after in pairwise(mine)), "one line"
    assert sum(len(line) for _, line in ways) > 10 * len(ways), "along roads, not straight"
    homes = {about["run_id"] for about, _ in spots if about["kind"] == "home"}
    assert homes == {about["run_id"] for about, _ in ways}
    assert office.get("/v1/days/2031-01-01/map").json() == {"type": "FeatureCollection", "features": []}


def _near(a: list[float], b: list[float]) -> bool:
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) < 0.02


@pytest.mark.browser
@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("desktop", True), ("phone", False)])
def test_the_map_is_drawn_from_here_alone(screen: Callable[..., Screen], site: Site, size: str, dark: bool) -> None:
    one = screen(size, dark=dark)  # it fails by itself when somebody else is asked, or the policy is broken
    page = put_map(one, site, day_of(site))
    page.wait_for_function(READY)
    layers = set(page.evaluate("() => window.drawn.queryRenderedFeatures().map((feature) => feature.layer.id)"))
    assert {"run", "places", "main", "wood", "water", "towns"} <= layers
    drawn = page.locator("allons-map").screenshot()
    shares = page.evaluate(COLOURS, f"data:image/png;base64,{base64.b64encode(drawn).decode()}")
    assert shares[0] < 0.9, "not one colour"
    assert sum(share > 0.0005 for share in shares) >= 5, "but those of a map"
    if not dark:
        assert one.stumbles() == []
    one.shot(f"map-{size}{'-dark' * dark}")


@pytest.mark.browser
def test_map_list_and_timeline_light_together(screen: Callable[..., Screen], site: Site) -> None:
    one = screen("desktop")
    page = put_map(one, site, day_of(site))
    page.wait_for_function(READY)
    found = page.evaluate("""() => {
        const box = window.drawn.getCanvas().getBoundingClientRect()
        const spots = window.drawn.queryRenderedFeatures({layers: ["places"]}).filter((one) => one.properties.legs && one.properties.run)
        const places = spots.map((one) => window.drawn.project(one.geometry.coordinates))
        const near = (at) => Math.hypot(at.x - box.width / 2, at.y - box.height / 2)
        const {x, y} = places.sort((a, b) => near(a) - near(b))[0]
        return {x: x + box.x, y: y + box.y}
    }""")
    page.mouse.move(found["x"], found["y"])
    page.wait_for_function("() => window.heard.at(-1)?.length")
    legs = page.evaluate("() => window.heard.at(-1)")
    assert page.locator("allons-map").get_attribute("data-lit") == " ".join(legs)
    page.mouse.move(5, 5)
    page.wait_for_function("() => window.heard.at(-1).length === 0")
    page.evaluate("(legs) => document.dispatchEvent(new CustomEvent('allons:lit', {detail: legs}))", legs[:1])
    assert page.locator("allons-map").get_attribute("data-lit") == legs[0]
    before = page.evaluate("() => window.drawn.getZoom()")
    page.evaluate("(legs) => document.dispatchEvent(new CustomEvent('allons:shown', {detail: legs}))", legs[:1])
    page.wait_for_function("(before) => window.drawn.getZoom() > before + 0.2 && !window.drawn.isMoving()", arg=before)
    page.wait_for_function(READY)
    one.shot("map-selected")
    page.get_by_role("button", name="Tout voir").click()
    page.wait_for_function("(before) => Math.abs(window.drawn.getZoom() - before) < 0.05 && !window.drawn.isMoving()", arg=before)
    page.locator("allons-map canvas").focus()
    page.keyboard.press("+")
    page.wait_for_function("(before) => window.drawn.getZoom() > before + 0.5", arg=before)


@pytest.mark.browser
def test_where_a_browser_cannot_draw_a_sentence_says_so(site: Site, browser: Any) -> None:
    plain = browser.browser_type.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu", "--disable-3d-apis"])
    one = Screen(plain, site.address, "desktop")
    page = put_map(one, site, day_of(site))
    page.get_by_text("Ce navigateur ne peut pas dessiner la carte.").wait_for()
    assert one.stumbles() == []
    one.shot("map-none")
    one.close()
    plain.close()


def test_a_stored_tile_is_gzip(site: Site) -> None:
    assert site.parts.base_map is not None
    x, y = tile_of(8, *site.parts.base_map.bounds[:2])
    assert gzip.decompress(site.parts.base_map.tile(8, x, y) or b"")
