/* « Ma journée » on the telephone: the next stop on top, its button, and what waits to be sent. Works on with what it knows without network. */
import { ask } from "../allons.js"
import { Taps } from "./taps.js"

const FORWARD = ["confirmed", "en_route", "at_pickup", "on_board", "completed"]
const AGAIN_MS = 60_000
const SOON_MS = 4_000 // while there is no network
const TWICE_MS = 1200
const words = document.getElementById("me-words").dataset
const word = (name) => words[name] ?? ""
const day = () => document.getElementById("day")
const net = document.getElementById("net")
const taps = new Taps(day().dataset.holder)
let away = !navigator.onLine
let touched = 0
let asked = Date.now() // when the service was last asked for this page

/** How far a way is: as the service knows it, and what waits to be sent. */
function state_of(leg, known) {
  let state = known
  for (const tap of taps.waiting()) {
    if (tap.leg !== leg) continue
    if (tap.state === "no_show") state = "no_show"
    else if (FORWARD.includes(state) && FORWARD.indexOf(tap.state) > FORWARD.indexOf(state)) state = tap.state
  }
  return state
}

function is_done(halt, state) {
  return !FORWARD.includes(state) || state === "completed" || (halt.dataset.kind === "pickup" && state === "on_board")
}

/** Put every stop where it belongs, with the button that comes next. */
function arrange() {
  if (!day()) return
  forget_old()
  const halts = [...document.querySelectorAll(".halt")].sort((a, b) => (a.dataset.number < b.dataset.number ? -1 : 1))
  const now = halts.find((halt) => !is_done(halt, state_of(halt.dataset.leg, halt.dataset.state)))
  for (const halt of halts) {
    const state = state_of(halt.dataset.leg, halt.dataset.state)
    const done = is_done(halt, state)
    place(halt, document.getElementById(halt === now ? "next" : done ? "done" : "rest"), halt === now)
    show_steps(halt, state, done, halt === now)
  }
  for (const [name, there] of [["next", now], ["rest", now], ["done", document.querySelector("#done .halt")], ["all-done", halts.length && !now]]) {
    const section = document.getElementById(name)
    if (section) section.hidden = !there || (name === "rest" && !section.querySelector(".halt"))
  }
  say_how_it_stands()
}

function place(halt, section, is_next) {
  const order = halt.dataset.number
  const after = [...section.querySelectorAll(".halt")].find((other) => other !== halt && other.dataset.number > order)
  if (halt.parentElement === section && (halt.nextElementSibling === (after ?? null))) return
  const held = halt.contains(document.activeElement) && document.activeElement
  section.insertBefore(halt, after ?? null)
  halt.open = is_next
  if (held) held.focus({ preventScroll: true })
}

function show_steps(halt, state, done, is_next) {
  const steps = halt.querySelector(".steps")
  const mark = halt.querySelector(".mark")
  if (done && !mark.textContent) mark.textContent = `${state === "no_show" ? "" : "✓ "}${word(`over_${state}`)}`
  if (!done) mark.textContent = ""
  if (state === "no_show" || !done) mark.classList.toggle("bad", done)
  if (!steps) return
  const open = Date.now() >= Date.parse(halt.dataset.opens)
  steps.hidden = done || !is_next
  steps.querySelector(".opens").hidden = open
  const next = halt.dataset.kind === "dropoff" ? "completed" : FORWARD[FORWARD.indexOf(state) + 1]
  for (const button of steps.querySelectorAll("[data-tap]:not([data-tap=no_show])")) button.hidden = !open || button.dataset.tap !== next
  count_down(halt, steps, state, open)
}

/** « Personne » is there once the wait is over, by the same rule that the service goes by. */
function count_down(halt, steps, state, open) {
  const line = steps.querySelector(".wait")
  if (!line) return
  const here = open && halt.dataset.kind === "pickup" && state === "at_pickup"
  const tapped = taps.waiting().find((tap) => tap.leg === halt.dataset.leg && tap.state === "at_pickup")
  const arrived = Date.parse(halt.dataset.arrived || tapped?.at || new Date().toISOString())
  const left = Math.max(arrived, Date.parse(halt.dataset.told)) + Number(halt.dataset.wait) * 60_000 - Date.now()
  line.hidden = !here || left <= 0
  line.textContent = word("no_show_in").replace("{minutes}", Math.ceil(left / 60_000))
  steps.querySelector("[data-tap=no_show]").hidden = !here || left > 0
}

/** What may not be shown any more is not kept on the page either, with or without network. */
function forget_old() {
  for (const old of document.querySelectorAll("[data-until]")) if (Date.parse(old.dataset.until) < Date.now()) old.remove()
}

function say_how_it_stands() {
  const waiting = taps.waiting()
  const refused = taps.refused()
  const said = []
  if (away || taps.state === "away") said.push([word("offline").replace("{time}", day().dataset.said)])
  if (taps.state === "out") said.push([word("out"), link(`/login?next=/me`, word("log_in"))])
  const stuck = waiting.filter((tap) => tap.due <= Date.now() || away)
  if (stuck.length === 1) said.push([word("waits").replace("{what}", word(stuck[0].state))])
  if (stuck.length > 1) said.push([word("waits_many").replace("{count}", stuck.length)])
  for (const one of refused) said.push([`${word("refused").replace("{what}", word(one.state))} ${one.why}`])
  if (refused.length) said.push([button(word("understood"), "understood", "")])
  write(net, said)
  net.className = refused.length || taps.state === "out" ? "broken" : away || taps.state === "away" ? "away" : ""
  const last = waiting.at(-1)
  const open = last && !last.tried && Date.now() < last.due
  write(document.getElementById("undo"), open ? [[word("tapped").replace("{what}", word(last.state)), button(word("undo"), "undo", last.id)]] : [])
  const leave = document.getElementById("leave")
  if (waiting.length) leave.dataset.confirm = word("leave")
  else delete leave.dataset.confirm
}

/** Lines of words, buttons and links; what is there already is left alone, so that a screen reader says it once. */
function write(place, said) {
  const text = JSON.stringify(said.map((line) => line.map((part) => part.outerHTML ?? part)))
  if (place.dataset.shown === text) return
  place.dataset.shown = text
  const lines = said.map((parts) => {
    const line = document.createElement("p")
    line.append(...parts.flatMap((part) => [part, " "]))
    return line
  })
  place.replaceChildren(...(said.length === 1 && place.id === "undo" ? said[0] : lines))
}

function button(text, what, id) {
  const made = document.createElement("button")
  made.type = "button"
  made.className = "quiet"
  made.dataset[what] = id
  made.textContent = text
  return made
}

function link(address, text) {
  const made = document.createElement("a")
  made.href = address
  made.textContent = text
  return made
}

async function send(at_once = false) {
  const done = await taps.send(at_once)
  for (const { leg, state } of done) {
    for (const halt of document.querySelectorAll(`.halt[data-leg="${CSS.escape(leg)}"]`)) halt.dataset.state = state
  }
  if (done.length) await look()
  arrange()
}

/** The page as it is now; without network, what is known stays. */
async function look(answered = false) {
  asked = Date.now()
  try {
    const answer = await fetch("/me", { headers: { Accept: "text/html", "Accept-Language": document.documentElement.lang } })
    away = false
    if (answer.redirected) taps.state = "out"
    else if (answer.ok) show(await answer.text(), answered)
  } catch {
    away = true
  }
  if (!away && taps.state === "away") taps.state = "well"
  arrange()
}

function show(text, answered) {
  const found = new DOMParser().parseFromString(text, "text/html")
  const fresh = found.getElementById("day")
  if (!fresh || fresh.dataset.holder !== day().dataset.holder) return location.reload()
  document.querySelector("meta[name=csrf]").content = found.querySelector("meta[name=csrf]").content
  if (taps.state === "out") taps.state = "well"
  if (!answered && (document.getElementById("ask").open || day().querySelector(".cannot[open]"))) return // somebody is about to answer
  const held = document.activeElement?.closest("#day .halt")?.dataset
  const open = new Set([...document.querySelectorAll("#rest .halt[open], #done .halt[open]")].map((halt) => halt.dataset.number))
  day().replaceWith(document.adoptNode(fresh))
  for (const halt of document.querySelectorAll(".halt")) halt.open ||= open.has(halt.dataset.number)
  arrange()
  if (held) document.querySelector("#next .yes:not([hidden])")?.focus({ preventScroll: true })
}

document.addEventListener("click", async (event) => {
  const tapped = event.target.closest("[data-tap], [data-undo], [data-understood]")
  if (!tapped) return
  if (tapped.dataset.undo) taps.take(tapped.dataset.undo)
  else if ("understood" in tapped.dataset) taps.understand()
  else {
    const halt = tapped.closest(".halt")
    if (Date.now() - touched < TWICE_MS) return // a thumb that trembles is not two steps
    touched = Date.now()
    if (tapped.dataset.tap === "no_show" && !(await ask(word("no_show_ask")))) return
    if (state_of(halt.dataset.leg, halt.dataset.state) === tapped.dataset.tap) return // in another tab meanwhile
    taps.add(halt.dataset.leg, tapped.dataset.tap)
    navigator.vibrate?.(30)
  }
  arrange()
  send()
})
document.addEventListener("visibilitychange", () => (document.hidden ? send(true) : look()))
addEventListener("pagehide", () => send(true))
addEventListener("pageshow", (event) => event.persisted && look())
addEventListener("online", () => look().then(() => send(true)))
addEventListener("offline", () => {
  away = true
  arrange()
})
addEventListener("storage", (event) => event.key === taps.name && arrange()) // another tab
document.addEventListener("allons:done", (event) => {
  if (event.target.id !== "leave") event.preventDefault(), look(true)
})
document.addEventListener("allons:changed", () => look(true))
setInterval(() => {
  arrange()
  send()
  if (!document.hidden && Date.now() - asked > (away ? SOON_MS : AGAIN_MS)) look()
}, 1000)
arrange()
if (Date.now() - Date.parse(day().dataset.made) > 60_000 || away) look() // kept by the worker, or by the browser
send()
