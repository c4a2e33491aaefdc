/* The base map's looks: calm, so that a day's runs stand out; light and dark. In: /map/about.json and whether it is dark. Out: a MapLibre
 * style without sprites and glyphs: letters are drawn by the browser itself, in its own sans serif. Called by map.js.
 */

const LIGHT = {
  ground: "#f5f3ec", built: "#e6e0d3", wood: "#d8e6cd", park: "#e2ead3", water: "#abcfe2", border: "#a99fb4", rail: "#b3b0aa",
  casing: "#c3bcab", track: "#d3cbb8", street: "#ffffff", main: "#fbe8b8", motorway: "#f3cf8a", mainCasing: "#b89f66",
  text: "#3f4a4e", place: "#1a2326", halo: "#fbfaf7", waterText: "#2f5f7d", spot: "#7a2340",
}
const DARK = {
  ground: "#171e20", built: "#2a3234", wood: "#1d3327", park: "#213026", water: "#1d4459", border: "#5f566b", rail: "#3f4648",
  casing: "#3a4548", track: "#343e41", street: "#3f4b4e", main: "#6a6650", motorway: "#7d6f47", mainCasing: "#4d4a3a",
  text: "#c6cfce", place: "#f0f3f2", halo: "#12191b", waterText: "#8fb7cf", spot: "#f2a7bd",
}
const FONT = ["sans-serif"]

const grow = (...stops) => ["interpolate", ["exponential", 1.5], ["zoom"], ...stops]
const of = (...kinds) => ["in", ["get", "kind"], ["literal", kinds]]

export function mapStyle(about, dark) {
  const c = dark ? DARK : LIGHT
  const ground = { id: "ground", type: "background", paint: { "background-color": c.ground } }
  if (!about.tiles) return { version: 8, sources: {}, layers: [ground] }
  const base = {
    type: "vector", tiles: [new URL(about.tiles, location.origin).href.replaceAll("%7B", "{").replaceAll("%7D", "}")], bounds: about.bounds,
    minzoom: about.zooms[0], maxzoom: about.zooms[1], attribution: about.attribution,
  }
  const layer = (id, type, from, filter, paint, more = {}) => ({
    id, type, source: "base", "source-layer": from, ...(filter ? { filter } : {}), paint, ...more,
  })
  const road = (id, kinds, colour, widths, minzoom = 0) =>
    layer(id, "line", "road", of(...kinds), { "line-color": colour, "line-width": grow(...widths) }, {
      minzoom, layout: { "line-cap": "round", "line-join": "round" },
    })
  const words = (id, from, filter, colour, size, layout = {}, more = {}) =>
    layer(id, "symbol", from, filter, { "text-color": colour, "text-halo-color": c.halo, "text-halo-width": 1.6 }, {
      ...more, layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": size, "text-max-width": 8, ...layout },
    })
  const alongRoads = { "symbol-placement": "line", "text-max-angle": 30, "symbol-spacing": 350 }
  const biggest = { "symbol-sort-key": ["-", 0, ["coalesce", ["get", "people"], 0]] }
  const beside = { "text-variable-anchor": ["top", "bottom", "left", "right", "center"], "text-radial-offset": 0.6, "text-justify": "auto" }
  return {
    version: 8,
    sources: { base },
    layers: [
      ground,
      layer("built", "fill", "land", of("built"), { "fill-color": c.built }),
      layer("park", "fill", "land", of("park"), { "fill-color": c.park }),
      layer("wood", "fill", "land", of("wood"), { "fill-color": c.wood }),
      layer("streams", "line", "stream", null, { "line-color": c.water, "line-width": grow(7, 0.6, 11, 1.2, 14, 2.5) }),
      layer("water", "fill", "water", null, { "fill-color": c.water }),
      layer("borders", "line", "border", null, { "line-color": c.border, "line-width": 1, "line-dasharray": [3, 3], "line-opacity": 0.7 }),
      layer("rails", "line", "rail", null, { "line-color": c.rail, "line-width": grow(9, 0.6, 14, 2), "line-dasharray": [4, 1.5] }),
      road("tracks", ["track", "service"], c.track, [13, 0.5, 16, 3]),
      road("streets-casing", ["street"], c.casing, [12, 0.8, 14, 4, 17, 13], 12.5),
      road("minor-casing", ["minor"], c.casing, [9, 0.7, 10, 1.2, 12, 2.6, 14, 6, 17, 16]),
      road("main-casing", ["main"], c.mainCasing, [7, 0.9, 10, 2.8, 12, 4, 14, 7.5, 17, 18]),
      road("motorways-casing", ["motorway"], c.mainCasing, [6, 1, 10, 3, 12, 5, 14, 9, 17, 20]),
      road("streets", ["street"], c.street, [11, 0.4, 12, 0.7, 14, 2.8, 17, 11]),
      road("minor", ["minor"], c.street, [10, 0.5, 12, 1.6, 14, 4.4, 17, 14]),
      road("main", ["main"], c.main, [7, 0.3, 10, 1.4, 12, 2.8, 14, 6, 17, 16]),
      road("motorways", ["motorway"], c.motorway, [6, 0.6, 10, 2, 12, 3.6, 14, 7, 17, 18]),
      words("road-names", "road", of("motorway", "main", "minor", "street"), c.text, grow(13, 11, 17, 14), alongRoads, { minzoom: 13.5 }),
      words("spots", "spot", null, c.spot, 12, { "text-field": ["concat", ["match", ["get", "kind"], "hospital", "✚ ", "◼ "], ["get", "name"]] }, { minzoom: 12.5 }),
      words("hamlets", "place", of("hamlet", "isolated_dwelling", "neighbourhood", "quarter"), c.text, 12, {}, { minzoom: 12.5 }),
      words("suburbs", "place", of("suburb", "borough"), c.text, grow(12, 12, 15, 15), {}, { minzoom: 12 }),
      words("villages", "place", of("village"), c.place, grow(9, 11, 11, 12.5, 14, 17), { ...biggest, ...beside }, { minzoom: 9 }),
      words("towns", "place", of("city", "town"), c.place, grow(7, 12, 10, 15, 14, 21), { ...biggest, ...beside }),
    ],
  }
}
