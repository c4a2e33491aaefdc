/* The coordinator's day: places bars on the time line, lights a ride everywhere at once, opens it in the panel, lets it be dragged onto a
 * volunteer (what it changes is shown first), follows rounds, and shows what others change: the pieces of the board that are others now,
 * or all of it. */
import { ask, call, callAfterRound, plain, tell, why } from "./allons.js"

const board = document.getElementById("board")
const panel = document.getElementById("panel")
const words = document.getElementById("day-words").dataset
const date = board.dataset.date

// --- where things stand in time -----------------------------------------------------------------------------------------------------------
function place(lanes = board.querySelectorAll(".lane")) {
  const line = document.getElementById("line")
  if (!line) return
  const from = Number(line.dataset.from)
  const length = Number(line.dataset.to) - from
  const percent = (moment) => `${Math.min(100, Math.max(0, ((moment - from) / length) * 100))}%`
  for (const one of line.querySelectorAll("[data-at]")) one.style.left = percent(Number(one.dataset.at))
  for (const lane of lanes) {
    for (const one of lane.querySelectorAll(".track > [data-from]")) {
      one.style.left = percent(Number(one.dataset.from))
      one.style.width = `calc(${percent(Number(one.dataset.to))} - ${percent(Number(one.dataset.from))})`
    }
  }
  for (const lane of lanes) {
    const track = lane.querySelector(".track")
    if (lane.dataset.volunteer) keepApart([...track.querySelectorAll("button.bar")])
    else stack(track)
  }
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
let lit = []
function light(ids) {
  lit = ids
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
/** As things stand now, unless somebody is writing in it; the hand stays where it is. */
async function reopen() {
  if (!opened || panel.querySelector("input:focus, select:focus, textarea:focus")) return
  const within = panel.contains(document.activeElement)
  await htmx.ajax("GET", opened, { target: "#panel", swap: "innerHTML" })
  if (within) panel.focus({ preventScroll: true })
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
  look()
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
  const wait = (sentence) => tell(told(), sentence)
  const answer = await callAfterRound(wait, "POST", `/v1/legs/${leg}/offer`, body, { key: crypto.randomUUID() })
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
function changed() {
  return new Promise((resolve) => {
    document.addEventListener("allons:renewed", resolve, { once: true })
    document.dispatchEvent(new CustomEvent("allons:changed"))
    setTimeout(resolve, 2000)
  })
}
document.addEventListener("allons:changed", () => {
  heard.clear() // the board is fetched after all of it
  choices.clear()
  reopen()
})
document.addEventListener("allons:done", (event) => {
  const { body } = event.detail
  if (event.target.id === "plan") follow(body.id)
  if (event.target.dataset.done === "told") {
    tell(told(), event.target.dataset.said.replace("{told}", body.told), "done")
    document.dispatchEvent(new CustomEvent("allons:changed"))
  }
})
function settle(lanes) {
  place(lanes)
  filter()
  light(lit)
  showEffects()
  const round = document.getElementById("round")
  if (roundSays) tell(round, roundSays)
  if (round?.dataset.round) follow(round.dataset.round)
}
board.addEventListener("htmx:after:swap", (event) => {
  if (event.target !== board) return
  settle()
  document.dispatchEvent(new CustomEvent("allons:renewed"))
})
document.getElementById("jump")?.addEventListener("change", (event) => event.target.value && location.assign(`/day/${event.target.value}`))

// --- what others do -----------------------------------------------------------------------------------------------------------------------------------
const SOON = 20 // ms in which more may come with it
const MOST = 60 // steps that are shown as pieces
const heard = new Set() // steps of the log that are not shown yet: `leg:ID`
let looking = false

/** The live stream, from where the page was made. */
function listen() {
  const stream = new EventSource(`/v1/live?seen=${board.dataset.seen}`)
  stream.addEventListener("change", (event) => {
    const { kind, id } = JSON.parse(event.data)
    heard.add(`${kind}:${id}`)
    look()
  })
  stream.addEventListener("reload", () => document.dispatchEvent(new CustomEvent("allons:changed")))
}
/** Show what was heard of, one look after the other; not while a ride is in somebody's hand. */
async function look() {
  if (looking) return
  looking = true
  await new Promise((go) => setTimeout(go, SOON))
  while (heard.size && !dragged) {
    const steps = [...heard]
    heard.clear()
    choices.clear()
    if (steps.length > MOST || !(await renew(steps))) await changed()
  }
  looking = false
}
/** The pieces of the board that some steps have made others. False: all of it has to be fetched. */
async function renew(steps) {
  const answer = await fetch(`/day/${date}/pieces?changed=${steps.join(",")}`, { headers: { "Accept-Language": document.documentElement.lang } }).catch(() => null)
  if (answer?.status !== 200 || answer.redirected || dragged) return false
  const come = new DOMParser().parseFromString(await answer.text(), "text/html")
  const about = come.getElementById("pieces")?.dataset
  const line = document.getElementById("line")?.dataset
  if (!about || about.from !== line?.from || about.to !== line.to) return false
  const at = document.activeElement
  const touched = new Set([document.getElementById("left").parentElement])
  for (const id of about.looked.split(" ")) if (!come.getElementById(id)) document.getElementById(id)?.remove()
  for (const piece of come.querySelectorAll("[data-piece]")) {
    await put(piece)
    if (piece.matches(".lane")) touched.add(document.getElementById(piece.id))
  }
  if (!at.isConnected) board.querySelector(`[data-open="${at.dataset.open}"]`)?.focus({ preventScroll: true }) // it is somewhere else now
  settle(touched)
  if (about.looked.includes(opened?.split("/").pop())) reopen()
  document.dispatchEvent(new CustomEvent("allons:touched"))
  return true
}
/** One piece: as it was made just now, and where it stands in its list. */
async function put(piece) {
  const was = document.getElementById(piece.id)
  if (was) await htmx.swap({ text: piece.outerHTML, target: was, swap: "outerMorph", sourceElement: was })
  else document.getElementById(piece.parentElement.id).append(document.importNode(piece, true))
  const { order } = piece.dataset
  const now = document.getElementById(piece.id)
  const next = order && [...now.parentElement.children].find((one) => one !== now && one.dataset.order > order)
  if (order && now.nextElementSibling !== (next ?? null)) now.parentElement.insertBefore(now, next ?? null)
}
window.addEventListener("resize", () => place())
settle()
listen()
