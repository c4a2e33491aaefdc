/* The coordinator's day: places bars on the time line, lights a ride everywhere at once, opens it in the panel, lets it be dragged onto a
 * volunteer (what it changes is shown first), follows rounds, and is made anew when something has changed. */
import { ask, call, plain, tell, why } from "./allons.js"

const board = document.getElementById("board")
const panel = document.getElementById("panel")
const words = document.getElementById("day-words").dataset
const date = board.dataset.date

// --- where things stand in time -----------------------------------------------------------------------------------------------------------
function place() {
  const line = document.getElementById("line")
  if (!line) return
  const from = Number(line.dataset.from)
  const length = Number(line.dataset.to) - from
  const percent = (moment) => `${Math.min(100, Math.max(0, ((moment - from) / length) * 100))}%`
  for (const one of line.querySelectorAll("[data-at]")) one.style.left = percent(Number(one.dataset.at))
  for (const one of line.querySelectorAll(".track > [data-from]")) {
    one.style.left = percent(Number(one.dataset.from))
    one.style.width = `calc(${percent(Number(one.dataset.to))} - ${percent(Number(one.dataset.from))})`
  }
  for (const track of line.querySelectorAll(".lane[data-volunteer] .track")) keepApart([...track.querySelectorAll("button.bar")])
  stack(line.querySelector(".lane.unsolved .track"))
  const now = Date.now() / 1000
  line.querySelector(".nowline")?.remove()
  if (now > from && now < from + length) {
    const mark = document.createElement("span")
    mark.className = "nowline"
    const offset = line.querySelector(".track")?.offsetLeft ?? 0
    mark.style.left = `calc(${offset}px + (100% - ${offset}px) * ${(now - from) / length})`
    line.append(mark)
  }
}

/** A short ride is as wide as a finger, so that the next one may have to begin a little later than it does. */
function keepApart(bars) {
  let end = -Infinity
  for (const [bar, left, width] of bars.map((one) => [one, one.offsetLeft, one.offsetWidth])) {
    const start = Math.max(left, end)
    if (start > left) bar.style.left = `${start}px`
    end = start + width + 1
  }
}

/** Rides without a volunteer have no car to share: those that would cover each other go below each other. */
function stack(track) {
  if (!track) return
  const rows = []
  for (const bar of track.children) {
    const left = bar.offsetLeft
    let row = rows.findIndex((end) => end <= left)
    if (row < 0) row = rows.length
    rows[row] = left + bar.offsetWidth + 4
    bar.style.top = `${0.15 + row * 1.85}rem`
  }
  track.style.height = `${Math.max(1, rows.length) * 1.9}rem`
}

// --- one ride, lit everywhere ---------------------------------------------------------------------------------------------------------------
function light(ids) {
  for (const one of document.querySelectorAll(".lit")) one.classList.remove("lit")
  for (const id of ids) for (const one of document.querySelectorAll(`[data-legs~="${CSS.escape(id)}"]`)) one.classList.add("lit")
  document.dispatchEvent(new CustomEvent("allons:lit", { detail: ids }))
}
board.addEventListener("pointerover", (event) => {
  const one = event.target.closest("[data-legs]")
  if (one) light(one.dataset.legs.split(" "))
})
board.addEventListener("focusin", (event) => {
  const one = event.target.closest("[data-legs]")
  if (one) light(one.dataset.legs.split(" "))
})
document.addEventListener("allons:hover", (event) => light([].concat(event.detail ?? [])))
document.addEventListener("allons:select", (event) => open(`/day/${date}/ways/${event.detail[0]}`)) // on the map

// --- the panel --------------------------------------------------------------------------------------------------------------------------------
let opened = null
let opener = null
async function open(address, from) {
  opener = from ?? opener
  opened = address
  panel.hidden = false
  await htmx.ajax("GET", address, { target: "#panel", swap: "innerHTML" })
  panel.focus({ preventScroll: true })
}
function close() {
  panel.hidden = true
  panel.replaceChildren()
  opened = null
  if (opener?.isConnected) opener.focus()
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]")
  if (button) open(button.dataset.open, button)
  else if (event.target.closest("[data-close]")) close()
})
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && opened && !document.querySelector("dialog[open]")) close()
  const bars = [...board.querySelectorAll("button.bar")]
  const at = bars.indexOf(document.activeElement)
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (at >= 0 && step) {
    event.preventDefault()
    bars[(at + step + bars.length) % bars.length].focus()
  }
})

// --- a ride is dragged onto a volunteer ---------------------------------------------------------------------------------------------------------
const choices = new Map() // leg -> promise of who could drive it: asked for once, as soon as a hand is on it
function chooseFor(leg) {
  if (!choices.has(leg)) choices.set(leg, call("GET", `/v1/legs/${leg}/candidates`))
  return choices.get(leg)
}
const say = (candidate) => (document.documentElement.lang === "en" ? candidate.sentence_en : candidate.sentence)
let dragged = null
board.addEventListener("pointerdown", (event) => {
  const bar = event.target.closest("[draggable=true]")
  if (bar) chooseFor(bar.dataset.legs.split(" ")[0])
})
board.addEventListener("dragstart", async (event) => {
  const bar = event.target.closest("[draggable=true]")
  if (!bar) return
  event.dataTransfer.effectAllowed = "move"
  event.dataTransfer.setData("text/plain", bar.textContent)
  dragged = { leg: bar.dataset.legs.split(" ")[0], by: new Map() }
  const mine = dragged
  const answer = await chooseFor(mine.leg)
  if (dragged !== mine || !answer.ok) return
  for (const one of answer.body.items) mine.by.set(one.volunteer_id, one)
  showEffects()
})
/** What it would mean, on every line; again when the board has been made anew under the hand. */
function showEffects() {
  if (!dragged?.by.size) return
  for (const lane of board.querySelectorAll(".lane[data-volunteer]")) {
    const one = dragged.by.get(lane.dataset.volunteer)
    lane.classList.add(one?.fits ? "can" : "cannot")
    lane.querySelector(".effect").textContent = one ? say(one) : ""
  }
}
board.addEventListener("dragover", (event) => {
  const lane = event.target.closest(".lane[data-volunteer]")
  for (const other of board.querySelectorAll(".lane.over")) if (other !== lane) other.classList.remove("over")
  if (!lane || !dragged) return
  lane.classList.add("over")
  event.preventDefault() // also where it is not possible: the drop says why
})
board.addEventListener("drop", (event) => {
  const lane = event.target.closest(".lane[data-volunteer]")
  if (!lane || !dragged) return
  event.preventDefault()
  give(dragged.leg, dragged.by.get(lane.dataset.volunteer), lane.dataset.name)
})
board.addEventListener("dragend", () => {
  dragged = null
  for (const lane of board.querySelectorAll(".lane")) {
    lane.classList.remove("can", "cannot", "over")
    const effect = lane.querySelector(".effect")
    if (effect) effect.textContent = ""
  }
})
const told = () => document.getElementById("told")
async function give(leg, candidate, name) {
  if (!candidate?.fits) {
    tell(told(), words.cannot.replace("{reason}", candidate ? say(candidate) : ""), "broken")
    return
  }
  const again = Boolean(candidate.answered)
  const sentence = words.ask.replace("{name}", name).replace("{effect}", say(candidate)) + (again ? ` ${words.again}` : "")
  if (!(await ask(sentence))) return
  const body = { volunteer_id: candidate.volunteer_id, ...(again && { again_reason: "called" }) }
  const answer = await call("POST", `/v1/legs/${leg}/offer`, body, { key: crypto.randomUUID() })
  if (answer.ok) tell(told(), words.given.replace("{name}", name), "done")
  else tell(told(), why(answer) || document.getElementById("sayings").dataset.failed, "broken")
  changed()
}

// --- the list -------------------------------------------------------------------------------------------------------------------------------------
function filter() {
  const text = plain(document.getElementById("search")?.value ?? "")
  const group = document.getElementById("only")?.value ?? ""
  for (const row of document.querySelectorAll("#ways tbody tr")) {
    row.hidden = (text && !plain(row.textContent).includes(text)) || (group && row.dataset.group !== group)
  }
}
board.addEventListener("input", filter)

// --- a round is at work ------------------------------------------------------------------------------------------------------------------------------
let following = null
let roundSays = "" // kept here: the board is made anew while it is to be read
function sayOfRound(sentence) {
  roundSays = sentence
  tell(document.getElementById("round"), sentence)
}
async function follow(id) {
  if (following === id) return
  following = id
  const place = () => document.getElementById("round")
  sayOfRound(place().dataset.said)
  let answer
  do answer = await call("GET", `/v1/rounds/${id}?wait=20`)
  while (answer.ok && ["queued", "running"].includes(answer.body.state))
  following = null
  await changed()
  const summary = answer.body?.summary
  const well = answer.ok && answer.body.state === "done"
  sayOfRound(well ? place().dataset.done + (summary ? ` ${summary.served} / ${summary.legs}.` : "") : place().dataset.failed)
  if (well) setTimeout(() => following || sayOfRound(""), 10_000)
}

// --- anew, when something has changed ---------------------------------------------------------------------------------------------------------------
let waiting = null
function changed() {
  choices.clear()
  return new Promise((resolve) => {
    document.addEventListener("allons:renewed", resolve, { once: true })
    document.dispatchEvent(new CustomEvent("allons:changed"))
    setTimeout(resolve, 2000)
  })
}
document.addEventListener("allons:changed", () => {
  choices.clear()
  if (opened) open(opened)
})
document.addEventListener("allons:done", (event) => {
  const { body } = event.detail
  if (event.target.id === "plan") follow(body.id)
  if (event.target.dataset.done === "told") {
    tell(told(), event.target.dataset.said.replace("{told}", body.told), "done")
    document.dispatchEvent(new CustomEvent("allons:changed"))
  }
})
function settle() {
  place()
  filter()
  showEffects()
  const round = document.getElementById("round")
  if (roundSays) tell(round, roundSays)
  if (round?.dataset.round) follow(round.dataset.round)
}
document.addEventListener("htmx:after:swap", () => {
  settle()
  document.dispatchEvent(new CustomEvent("allons:renewed"))
})
document.getElementById("jump")?.addEventListener("change", (event) => event.target.value && location.assign(`/day/${event.target.value}`))

/** What others do comes by the live stream: many changes at once are one look. */
function listen() {
  const stream = new EventSource("/v1/live")
  const heard = () => {
    clearTimeout(waiting)
    waiting = setTimeout(() => !dragged && document.dispatchEvent(new CustomEvent("allons:changed")), 60)
  }
  for (const kind of ["change", "reload"]) stream.addEventListener(kind, heard)
}
window.addEventListener("resize", place)
settle()
listen()
