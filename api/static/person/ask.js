/* « Demander un trajet »: one question at a time. The browser's own way back goes one question back; what was answered is kept in this tab
 * until it has been sent, and nowhere else. Refusals come back as sentences, at the question that they are about.
 */
import { call, instant } from "../allons.js"
import { makeChoice } from "./places.js"

const form = document.getElementById("ask-form")
const say = form.dataset
const steps = [...form.querySelectorAll(".step")]
const title = document.title
const refusals = JSON.parse(say.refusals)
const STEP_OF = { destination: 1, origin: 1, purpose: 1, arrive_by: 2, depart_after: 2, return_after: 3, return_open: 3 }
let now = 1
let sent = false
let sending = null

const field = (name) => form.elements[name]
const value = (name) => field(name)?.value ?? ""
const checked = (name) => form.querySelector(`[name="${name}"]:checked`)
const fill = (sentence, words) => sentence.replace(/\{(\w+)\}/g, (_, name) => words[name] ?? "")

function time(prefix) {
  const [hour, minute] = [value(`${prefix}_hour`), value(`${prefix}_minute`)]
  return hour === "" || minute === "" ? null : `${hour}:${minute}`
}

function said(clock) {
  const [hour, minute] = clock.split(":")
  if (document.documentElement.lang === "en") return `${hour % 12 || 12}:${minute} ${hour < 12 ? "am" : "pm"}`
  return minute === "00" ? `${Number(hour)} h` : `${Number(hour)} h ${minute}`
}

/** What is missing on a question; nothing: go on. */
function missing(step) {
  if (step === 1) {
    if (!checked("destination")) return say.chooseplace
    if (!checked("origin")) return say.chooseorigin
    if (checked("destination").value === checked("origin").value) return refusals.same_place
    if (field("purpose")?.required && !value("purpose")) return say.choosepurpose
  }
  if (step === 2) {
    if (!checked("kind")) return say.choosekind
    if (!value("day")) return say.chooseday
    if (!time("at")) return say.choosetime
  }
  if (step === 3) {
    if (!checked("back")) return say.chooseback
    if (checked("back").value === "at" && !time("back")) return say.choosetime
    if (checked("back").value === "at" && time("back") < time("at")) return say.backbefore
  }
  return ""
}

function show(step, { push = true, focus = true } = {}) {
  now = step
  steps.forEach((one, k) => (one.hidden = k + 1 !== step))
  const heading = steps[step - 1].querySelector("h1")
  document.title = `${heading.textContent.trim()} · ${title}`
  if (step === steps.length) readBack() || look()
  if (push) history.pushState(null, "", `#${step}`)
  if (!focus) return
  heading.focus()
  window.scrollTo(0, 0)
}

function complain(step, sentence) {
  const place = steps[step - 1].querySelector(".trouble")
  place.textContent = sentence
  if (sentence) place.scrollIntoView({ block: "center" })
}

/** The question that somebody may look at: never one behind a question that is not answered. */
function allowed(step) {
  for (let k = 1; k < step; k += 1) if (missing(k)) return k
  return Math.min(Math.max(step, 1), steps.length)
}

function readBack() {
  const place = (name) => checked(name).dataset.label
  const lines = [fill(say.readto, { place: place("destination") })]
  const home = checked("origin").dataset.home
  lines.push(home ? say.readhome : fill(say.readfrom, { place: place("origin") }))
  const day = field("day").selectedOptions[0].textContent
  lines.push(fill(checked("kind").value === "arrive" ? say.readarrive : say.readdepart, { day, time: said(time("at")) }))
  const back = checked("back").value
  lines.push(back === "at" ? fill(say.readback, { time: said(time("back")) }) : back === "call" ? say.readcall : say.readnone)
  const with_ = Number(value("companions"))
  lines.push(with_ ? fill(say.readwith, { n: field("companions").selectedOptions[0].textContent }) : say.readalone)
  const needs = [...form.querySelectorAll("[name=needs]:checked")].map((one) => one.dataset.label)
  if (needs.length) lines.push(fill(say.readneeds, { needs: needs.join(", ") }))
  const asked = [1, 1, 2, 3, 4, 4]
  const list = document.getElementById("read-back")
  list.replaceChildren(...lines.map((sentence, k) => {
    const line = document.createElement("li")
    const text = document.createElement("span")
    text.textContent = sentence
    line.append(text)
    if (asked[k] !== asked[k - 1]) {
      const change = document.createElement("button")
      change.type = "button"
      change.className = "change"
      change.textContent = say.change
      change.setAttribute("aria-label", `${say.change} : ${steps[asked[k] - 1].querySelector("h1").textContent.trim()}`)
      change.addEventListener("click", () => show(asked[k]))
      line.append(change)
    }
    return line
  }))
}

/** While it is read back: would somebody be free? If not, times at which somebody is; whoever taps one reads it back anew. */
async function look() {
  const place = document.getElementById("instead")
  const body = wish()
  const text = JSON.stringify(body)
  place.hidden = true
  const answer = await call("POST", "/v1/trip-requests/feasibility", body)
  if (!answer.ok || answer.body.feasible || now !== steps.length || JSON.stringify(wish()) !== text) return
  const others = answer.body.alternatives.filter((one) => one.kind === "other_time" || one.kind === "other_day").slice(0, 3)
  const buttons = others.map(offer).filter(Boolean)
  if (!buttons.length) return
  const refused = answer.body.obstacles.map((one) => refusals[one.code] ?? refusals.conflict)
  place.querySelector("p").textContent = [...(refused.length ? new Set(refused) : [say.nobodyfree]), say.instead].join(" ")
  place.querySelector("div").replaceChildren(...buttons)
  place.querySelector(".help").hidden = refused.length > 0
  place.hidden = false
}

function offer(other) {
  const day = wall(other.arrive_by ?? other.depart_after)
  const option = [...field("day").options].find((one) => one.value === day.date)
  if (!option) return null
  const button = document.createElement("button")
  button.type = "button"
  button.textContent = fill(other.arrive_by ? say.insteadarrive : say.insteaddepart, { day: option.textContent, time: said(day.time) })
  button.addEventListener("click", () => {
    field("day").value = day.date
    put("at", day.time)
    if (other.return_after) put("back", wall(other.return_after).time)
    save()
    show(steps.length, { push: false })
  })
  return button
}

function put(prefix, clock) {
  for (const [name, part] of [["hour", clock.slice(0, 2)], ["minute", clock.slice(3)]]) {
    const select = field(`${prefix}_${name}`)
    if (![...select.options].some((one) => one.value === part)) select.add(new Option(part, part))
    select.value = part
  }
}

/** A moment on the wall of the territory. */
function wall(moment) {
  const shown = { timeZone: say.zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }
  const part = Object.fromEntries(new Intl.DateTimeFormat("en-CA", shown).formatToParts(new Date(moment)).map((one) => [one.type, one.value]))
  return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}` }
}

function wish() {
  const point = (name) => checked(name).value.split(",").map(Number)
  const at = (clock) => instant(`${value("day")}T${clock}`, say.zone)
  const body = { beneficiary_id: say.person, origin: point("origin"), destination: point("destination"), seats: 1 + Number(value("companions")) }
  body[checked("kind").value === "arrive" ? "arrive_by" : "depart_after"] = at(time("at"))
  if (checked("back").value === "at") body.return_after = at(time("back"))
  if (checked("back").value === "call") body.return_open = true
  const needs = [...form.querySelectorAll("[name=needs]:checked")].map((one) => one.value)
  if (needs.length) body.needs = needs
  if (value("purpose")) body.purpose = value("purpose")
  return body
}

async function send(button) {
  if (sending) return // a double tap
  const body = wish()
  const text = JSON.stringify(body)
  const kept = load()
  const key = kept?.text === text ? kept.key : crypto.randomUUID() // sent again after a broken answer, it is the same wish
  save({ text, key })
  button.setAttribute("aria-busy", "true")
  sending = call("POST", "/v1/trip-requests", body, { key })
  const answer = await sending
  sending = null
  button.removeAttribute("aria-busy")
  if (answer.ok) return finish()
  const sayings = document.getElementById("sayings").dataset
  if (answer.status === 422 && answer.body?.errors) {
    const faults = answer.body.errors
    const step = Math.min(...faults.map((fault) => STEP_OF[fault.pointer.split("/").filter(Boolean)[0] ?? fault.pointer] ?? 4))
    show(step)
    complain(step, faults.map((fault) => refusals[fault.code] ?? say.refused).filter((one, k, all) => all.indexOf(one) === k).join(" "))
    return
  }
  const told = { 0: sayings.network, 401: sayings.out, 409: refusals.conflict }
  complain(steps.length, told[answer.status] ?? sayings.failed)
}

function finish() {
  sent = true
  sessionStorage.removeItem(say.keep)
  form.hidden = true
  const done = document.getElementById("sent")
  done.querySelector("ul").replaceChildren(...[...document.querySelectorAll("#read-back span")].map((one) => {
    const line = document.createElement("li")
    line.textContent = one.textContent
    return line
  }))
  done.hidden = false
  document.title = `${done.querySelector("h1").textContent} · ${title}`
  history.replaceState(null, "", location.pathname)
  done.querySelector("h1").focus()
  window.scrollTo(0, 0)
}

function save(more = {}) {
  const values = {}
  for (const one of form.elements) {
    if (!one.name) continue
    if (one.type === "radio") {
      if (one.checked) values[one.name] = one.value
    } else if (one.type === "checkbox") (values[one.name] ??= []).push(...(one.checked ? [one.value] : []))
    else values[one.name] = one.value
  }
  const found = [...form.querySelectorAll("[data-found]:checked")].map((one) => [one.name, one.value, one.dataset.label])
  sessionStorage.setItem(say.keep, JSON.stringify({ ...(load() ?? {}), values, found, ...more }))
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(say.keep))
  } catch {
    return null
  }
}

function restore() {
  const kept = load()
  if (!kept?.values) return
  for (const [name, point, label] of kept.found ?? []) {
    form.querySelector(`[data-places="${CSS.escape(name)}"] .found`)?.append(makeChoice(name, point, label))
  }
  for (const one of form.elements) {
    const was = kept.values[one.name]
    if (was === undefined) continue
    if (one.type === "radio") one.checked = one.value === was
    else if (one.type === "checkbox") one.checked = was.includes(one.value)
    else one.value = was
  }
}

function unfold() {
  for (const part of form.querySelectorAll("[data-when]")) {
    const [name, wanted] = part.dataset.when.split("=")
    part.hidden = checked(name)?.value !== wanted
  }
}

form.addEventListener("change", () => (unfold(), save(), complain(now, "")))
form.addEventListener("input", () => save())
form.addEventListener("submit", (event) => {
  event.preventDefault()
  const lacking = missing(now)
  complain(now, lacking)
  if (lacking) return
  if (now < steps.length) show(now + 1)
  else send(steps[now - 1].querySelector("button.yes"))
})
for (const button of form.querySelectorAll("[data-back]")) button.addEventListener("click", () => show(now - 1))
window.addEventListener("popstate", () => {
  if (sent) return location.replace(say.home)
  show(allowed(Number(location.hash.slice(1)) || 1), { push: false })
})

restore()
unfold()
const first = allowed(Number(location.hash.slice(1)) || 1)
history.replaceState(null, "", `#${first}`)
show(first, { push: false, focus: false })
form.hidden = false
