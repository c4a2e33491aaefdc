/* <allons-map src="/v1/days/2026-11-27/map" label="…">: the territory's own map and what drives on it, without asking anybody else.
 *
 * Runs are lines (with people aboard: solid; empty: dashed grey), pickups circles, drop-offs crosses, homes triangles; amber is who has
 * nobody yet. Map, list and time line light together by events whose detail is a list of leg ids:
 *   allons:hover   sent when the pointer is over something, and with an empty list when it has left
 *   allons:select  sent when something is clicked
 *   allons:lit     heard on the document: these are plain, everything else is pale
 *   allons:shown   heard on the document: these are brought into view and stay lit
 *   allons:changed heard on the document: `src` is fetched again, as by `refresh()`
 *   allons:touched heard on the document: the same, when no more of them have come for a while
 * The library is loaded when the map comes into view. Without `src` it shows the roads alone. Where a browser cannot draw maps, a sentence says so.
 * Words are data-attributes, given by templates/map.html.
 */
import { mapStyle } from "./map-style.js"

const HERE = import.meta.url
const dark = matchMedia("(prefers-color-scheme: dark)")
const QUIET = 1500 // ms
const NOTHING = { type: "FeatureCollection", features: [] }

/** Whether this browser draws maps. */
function canDraw() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"))
  } catch {
    return false
  }
}

/** « 9 h 40 » or "9:40 am": as people say it, in the territory's zone. */
function clock(moment) {
  const { lang, dataset } = document.documentElement
  const options = { hour: "numeric", minute: "2-digit", timeZone: dataset.zone || undefined }
  const said = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : "fr-FR", options).format(new Date(moment))
  return lang === "en" ? said : said.replace(/^0?(\d+):(\d+)$/, "$1 h $2")
}

function styleSheet(name) {
  const href = new URL(name, HERE).href
  if ([...document.styleSheets].some((sheet) => sheet.href === href) || document.querySelector(`link[href="${href}"]`)) return
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }))
}

/** A small picture for the map: drawn here, on a halo of the ground's colour. */
function picture(draw, colour, halo) {
  const size = 40
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size })
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.lineCap = pen.lineJoin = "round"
  for (const [stroke, width] of [[halo, 15], [colour, 7]].slice(draw === SHAPES.arrow ? 1 : 0)) {
    pen.strokeStyle = stroke
    pen.fillStyle = halo
    pen.lineWidth = width
    pen.beginPath()
    draw(pen)
    pen.stroke()
  }
  return pen.getImageData(0, 0, size, size)
}
const SHAPES = {
  pickup: (pen) => { pen.arc(20, 20, 9, 0, 7); pen.fill() },
  dropoff: (pen) => { pen.moveTo(12, 12); pen.lineTo(28, 28); pen.moveTo(28, 12); pen.lineTo(12, 28) },
  home: (pen) => { pen.moveTo(20, 10); pen.lineTo(31, 29); pen.lineTo(9, 29); pen.closePath(); pen.fill() },
  arrow: (pen) => { pen.moveTo(13, 10); pen.lineTo(27, 20); pen.lineTo(13, 30); pen.closePath(); pen.fill() },
}

class AllonsMap extends HTMLElement {
  static observedAttributes = ["src"]
  #map = null
  #data = NOTHING
  #over = []
  #chosen = []
  #fitted = false
  #closed = null
  #soon = 0

  connectedCallback() {
    if (this.#closed) return
    this.#closed = new AbortController()
    const { signal } = this.#closed
    styleSheet("vendor/maplibre-gl.css")
    styleSheet("map.css")
    this.setAttribute("role", "region")
    this.setAttribute("aria-label", this.getAttribute("label") || this.dataset.title || "")
    document.addEventListener("allons:lit", (event) => this.#light(event.detail ?? []), { signal })
    document.addEventListener("allons:shown", (event) => this.#choose(event.detail ?? []), { signal })
    document.addEventListener("allons:changed", () => this.#map && this.refresh(), { signal })
    document.addEventListener("allons:touched", () => {
      clearTimeout(this.#soon)
      this.#soon = setTimeout(() => this.#map && this.refresh(), QUIET)
    }, { signal })
    dark.addEventListener("change", () => this.#dress(), { signal })
    const near = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return
      near.disconnect()
      const idle = window.requestIdleCallback ?? setTimeout // what people do on the page comes first
      idle(() => this.#closed && !this.#map && this.#open())
    }, { rootMargin: "200px" })
    near.observe(this)
    signal.addEventListener("abort", () => near.disconnect())
  }

  disconnectedCallback() {
    this.#closed?.abort()
    this.#closed = null
    this.#map?.remove()
    this.#map = null
    this.#fitted = false
  }

  attributeChangedCallback(_, before, now) {
    if (this.#map && before !== now) {
      this.#fitted = false
      this.refresh()
    }
  }

  /** Fetch what is to be shown again. */
  async refresh() {
    const src = this.getAttribute("src")
    const answer = src ? await fetch(src, { headers: { Accept: "application/json" } }).catch(() => null) : null
    if (src && !answer?.ok) return this.#tell(this.dataset.failed, true)
    this.#tell("")
    this.#data = src ? await answer.json() : NOTHING
    this.#show()
  }

  async #open() {
    this.setAttribute("aria-busy", "true")
    if (!canDraw()) {
      this.removeAttribute("aria-busy")
      return this.#tell(this.dataset.noDrawing)
    }
    const [library, about] = await Promise.all([
      import("./vendor/maplibre-gl.mjs"),
      fetch("/map/about.json").then((answer) => (answer.ok ? answer.json() : null)),
    ]).catch(() => [null, null])
    if (!this.#closed) return
    if (!library || !about) return this.#tell(this.dataset.failed, true)
    this.about = about
    const box = this.appendChild(Object.assign(document.createElement("div"), { className: "map-box" }))
    const { zoomIn, zoomOut, title, who } = this.dataset
    try {
      this.#map = new library.Map({
        container: box, style: this.#style(), bounds: about.bounds, fitBoundsOptions: { padding: 10 }, dragRotate: false, pitchWithRotate: false,
        touchPitch: false, attributionControl: false, maxZoom: 18, minZoom: 5, cooperativeGestures: false,
        locale: { "Map.Title": title, "NavigationControl.ZoomIn": zoomIn, "NavigationControl.ZoomOut": zoomOut, "AttributionControl.ToggleAttribution": who },
      })
    } catch {
      box.remove()
      this.removeAttribute("aria-busy")
      return this.#tell(this.dataset.noDrawing)
    }
    const map = this.#map
    map.touchZoomRotate.disableRotation()
    map.keyboard.disableRotation()
    map.addControl(new library.NavigationControl({ showCompass: false }), "top-right")
    map.addControl(new library.AttributionControl({ compact: false }), "bottom-right")
    this.#addWhole()
    map.on("style.load", () => this.#addDay())
    map.on("mousemove", (event) => this.#point(event))
    map.on("mouseout", () => this.#hover([]))
    map.on("click", (event) => {
      const legs = this.#at(event.point)
      this.#chosen = legs
      this.#shine()
      if (legs.length) this.#send("allons:select", legs)
    })
    map.on("idle", () => {
      this.removeAttribute("aria-busy")
      this.dataset.drawn = ""
    })
    this.dispatchEvent(new CustomEvent("allons:map", { detail: { map } }))
    await this.refresh()
  }

  /** A button that shows everything again. */
  #addWhole() {
    const whole = Object.assign(document.createElement("button"), { type: "button", className: "map-whole", textContent: this.dataset.whole })
    whole.addEventListener("click", () => this.#fit())
    this.append(whole)
  }

  #style() {
    return this.about.style ?? mapStyle(this.about, dark.matches)
  }

  #dress() {
    if (this.#map && !this.about.style) this.#map.setStyle(this.#style(), { diff: false })
  }

  #colour(name, otherwise) {
    return getComputedStyle(this).getPropertyValue(name).trim() || otherwise
  }

  #addDay() {
    const map = this.#map
    const night = dark.matches && !this.about.style
    const accent = this.#colour("--accent", night ? "#8fd8dc" : "#0b4f55")
    const human = this.#colour("--human", night ? "#f5cf8e" : "#8a5200")
    const halo = night ? "#12191b" : "#ffffff"
    const empty = night ? "#9aa7aa" : "#6d787b"
    for (const [name, draw] of Object.entries(SHAPES)) {
      const arrow = name === "arrow"
      map.addImage(name, picture(draw, accent, arrow ? accent : halo), { pixelRatio: 2 })
      map.addImage(`${name}-waiting`, picture(draw, human, halo), { pixelRatio: 2 })
    }
    map.addSource("stretches", { type: "geojson", data: NOTHING })
    map.addSource("places", { type: "geojson", data: NOTHING })
    const names = map.getStyle().layers.find(({ type }) => type === "symbol")?.id // lines lie beneath all names
    const line = (id, filter, paint) => map.addLayer({
      id, type: "line", source: "stretches", filter, paint, layout: { "line-cap": "round", "line-join": "round" },
    }, names)
    const loaded = ["!=", ["get", "legs"], ""]
    line("run-empty", ["!", loaded], { "line-color": empty, "line-width": 2.5, "line-dasharray": [0.5, 2] })
    line("run-casing", loaded, { "line-color": halo, "line-width": 7 })
    line("run", loaded, { "line-color": accent, "line-width": 4 })
    map.addLayer({
      id: "run-way", type: "symbol", source: "stretches", filter: loaded,
      layout: { "symbol-placement": "line", "symbol-spacing": 110, "icon-image": "arrow", "icon-size": 0.75, "icon-allow-overlap": true, "icon-ignore-placement": true },
    }, names)
    // hours give way to the names of towns, and villages to hours: what is higher is placed first
    map.addLayer({
      id: "hours", type: "symbol", source: "places", filter: ["!=", ["get", "hour"], ""],
      layout: {
        "text-field": ["get", "hour"], "text-font": ["sans-serif"], "text-size": 13, "text-padding": 3,
        "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.9,
      },
      paint: { "text-color": night ? "#f0f3f2" : "#1a2326", "text-halo-color": halo, "text-halo-width": 2 },
    }, map.getLayer("towns") ? "towns" : undefined)
    map.addLayer({
      id: "places", type: "symbol", source: "places",
      layout: {
        "icon-image": ["get", "picture"], "icon-allow-overlap": true, "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
    })
    this.#show()
    this.#shine(true)
  }

  #show() {
    const map = this.#map
    if (!map?.getSource("places")) return
    const stretches = []
    const places = []
    for (const feature of this.#data.features) {
      const about = feature.properties
      if (about.kind === "stretch") {
        const legs = about.leg_ids.join(" ")
        stretches.push({ ...feature, properties: { run: about.run_id, legs } })
      } else {
        const waiting = about.run_id ? "" : "-waiting"
        const order = (waiting ? 2 : 0) + (about.kind === "home" ? 0 : 1)
        const hour = about.at && about.kind !== "home" ? clock(about.at) : ""
        places.push({ ...feature, properties: { run: about.run_id ?? "", legs: about.leg_id ?? "", picture: about.kind + waiting, hour, order } })
      }
    }
    map.getSource("stretches").setData({ type: "FeatureCollection", features: stretches })
    map.getSource("places").setData({ type: "FeatureCollection", features: places })
    if (!this.#fitted && this.#data.features.length) {
      this.#fitted = true
      this.#fit(false)
    }
  }

  #bounds(features) {
    const points = features.flatMap(({ geometry }) => (geometry.type === "Point" ? [geometry.coordinates] : geometry.coordinates))
    if (!points.length) return null
    const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])]
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
  }

  #fit(moving = true) {
    const bounds = this.#bounds(this.#data.features) ?? this.about.bounds
    this.#map?.fitBounds(bounds, { padding: 45, maxZoom: 14, animate: moving })
  }

  /** The legs of what is under a point; of an empty stretch or a home all those of its run. */
  #at({ x, y }) {
    const layers = ["places", "run", "run-empty"].filter((id) => this.#map.getLayer(id))
    const found = layers.length ? this.#map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers }) : []
    if (!found.length) return []
    const { legs, run } = found[0].properties
    return legs ? legs.split(" ") : this.#legsOf([run])
  }

  #legsOf(runs) {
    const stretches = this.#data.features.filter(({ properties: p }) => p.kind === "stretch" && runs.includes(p.run_id))
    return [...new Set(stretches.flatMap(({ properties }) => properties.leg_ids))]
  }

  #featuresOf(legs) {
    return this.#data.features.filter(({ properties: p }) => legs.includes(p.leg_id) || p.leg_ids?.some((leg) => legs.includes(leg)))
  }

  #point({ point }) {
    const legs = this.#at(point)
    this.#map.getCanvas().style.cursor = legs.length ? "pointer" : ""
    this.#hover(legs)
  }

  #hover(legs) {
    if (String(legs) === String(this.#over)) return
    this.#light(legs)
    this.#send("allons:hover", legs)
  }

  #send(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }))
  }

  #light(legs) {
    this.#over = legs
    this.#shine()
  }

  #choose(legs) {
    this.#chosen = legs
    this.#shine()
    const bounds = this.#bounds(this.#featuresOf(legs))
    if (bounds && this.#map) this.#map.fitBounds(bounds, { padding: 60, maxZoom: 13 })
  }

  /** What is pointed at or chosen is plain, the rest of its run half, everything else pale. */
  #shine(anew = false) {
    const map = this.#map
    if (!map?.getLayer("places")) return
    const lit = this.#over.length ? this.#over : this.#chosen
    if (!anew && this.dataset.lit === lit.join(" ")) return
    const runs = [...new Set(this.#featuresOf(lit).map(({ properties }) => properties.run_id ?? ""))].filter(Boolean)
    const of = (plain, half, pale) =>
      lit.length
        ? ["case", ["any", ...lit.map((leg) => ["in", leg, ["get", "legs"]])], plain, ["in", ["get", "run"], ["literal", runs]], half, pale]
        : plain
    map.setPaintProperty("run", "line-opacity", of(1, 0.55, 0.18))
    map.setPaintProperty("run", "line-width", lit.length ? of(6, 4, 3) : 4)
    map.setPaintProperty("run-casing", "line-opacity", of(1, 0.5, 0.1))
    map.setPaintProperty("run-empty", "line-opacity", of(1, 0.8, 0.2))
    map.setPaintProperty("run-way", "icon-opacity", of(1, 0.5, 0.1))
    map.setPaintProperty("places", "icon-opacity", of(1, 0.6, 0.25))
    map.setPaintProperty("hours", "text-opacity", of(1, 0.6, 0.15))
    this.dataset.lit = lit.join(" ")
  }

  /** A sentence over the map, with a button to try again where that may help. */
  #tell(sentence, again = false) {
    this.removeAttribute("aria-busy")
    this.querySelector(".map-said")?.remove()
    if (!sentence) return
    const said = Object.assign(document.createElement("p"), { className: "map-said", textContent: sentence })
    said.setAttribute("role", "status")
    if (again) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: this.dataset.again })
      button.addEventListener("click", () => {
        said.remove()
        return this.#map ? this.refresh() : this.#open()
      })
      said.append(" ", button)
    }
    this.append(said)
  }
}

customElements.define("allons-map", AllonsMap)
