/* Taking a request by telephone: people and places are looked for while one types, whether it is possible is asked as soon as who, where and
 * when are known, and what was noted is a sentence to be read aloud. */
import { call, complain, instant, read } from "./allons.js"
import { combo, lookForPeople, lookForPlaces, setChoice } from "./combo.js"

const by = (id) => document.getElementById(id)
const trip = by("trip")
const possible = by("possible")
const english = document.documentElement.lang === "en"
let person = null

function setPlace(input, point, label) {
  setChoice(input, point, label)
  look()
}
for (const field of ["from", "to", "home"]) {
  combo(by(field), lookForPlaces, (item) => setPlace(by(field), item.value, item.text))
  by(field).addEventListener("input", () => setChoice(by(field), ""))
}
combo(by("person"), lookForPeople("beneficiary"), (item) => take(item.id, item.name))

async function take(id, name) {
  by("person").value = name ?? ""
  by("unknown").open = false
  await htmx.ajax("GET", `/new/person/${id}`, { target: "#caller", swap: "innerHTML" })
  const known = document.querySelector("#caller .caller")
  person = id
  trip.elements.beneficiary_id.value = id
  setPlace(by("from"), known.dataset.home, known.dataset.homeLabel || "⌂")
  const usual = by("usual")
  usual.querySelectorAll("button").forEach((button) => button.remove())
  for (const button of known.querySelectorAll(".usual")) {
    button.addEventListener("click", () => setPlace(by("to"), button.dataset.point, button.textContent))
    usual.append(button)
  }
  usual.hidden = usual.children.length < 2
  by("to").focus()
}
document.addEventListener("allons:done", (event) => {
  if (event.target.id === "file") take(event.detail.body.id, event.detail.body.name)
  if (event.target.id === "trip") weekly.checked ? readWeekly(event.detail.body) : readAloud()
})

// every week: the first ride is looked at as any other, and all of them are asked for as a series
const weekly = by("weekly")
let looking = false // whether it is possible, and not yet asked for
weekly.addEventListener("change", () => {
  by("weeks").hidden = !weekly.checked
  by("waits").disabled = weekly.checked // a series does not say it
  const date = by("date").value
  if (weekly.checked && date && !trip.querySelector("[name=weekdays]:checked")) {
    trip.querySelector(`[name=weekdays][value="${new Date(`${date}T12:00:00`).getDay() || 7}"]`).checked = true
  }
  trip.dataset.call = weekly.checked ? "POST /v1/series" : "POST /v1/trip-requests"
})
by("without-more").addEventListener("click", () => {
  const last = by("without").querySelector("input:last-of-type")
  const more = last.cloneNode()
  more.id = `without-${by("without").querySelectorAll("input").length}`
  more.value = ""
  const label = by("without").querySelector("label").cloneNode(true)
  label.htmlFor = more.id
  last.after(label, more)
  more.focus()
})
const chosen = (name) => [...trip.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value)

/** The wish of one ride as that of a series: times on the wall, on which days of the week, from when, until when. */
function everyWeek(body) {
  for (const name of ["arrive_by", "depart_after", "return_after"]) if (body[name]) body[name] = body[name].slice(11, 16)
  Object.assign(body, { first_day: by("date").value, weekdays: chosen("weekdays").map(Number), except_holidays: chosen("except_holidays") })
  body.every_weeks = Number(trip.elements.every_weeks.value || 1)
  if (trip.elements.last_day.value) body.last_day = trip.elements.last_day.value
}
/** Days without a ride, which are skipped as soon as there is a series; what cannot be is said. */
async function leaveOut(made) {
  const days = [...by("without").querySelectorAll("input")].map((field) => field.value).filter(Boolean)
  for (const day of days) {
    const answer = await call("POST", `/v1/series/${made.series.id}/skip`, { first_day: day })
    if (!answer.ok) complain(trip, answer)
    else made.not_made.push(...answer.body.not_made)
  }
}

const back = () => new FormData(trip).get("back")
trip.addEventListener("allons:read", ({ detail: body }) => {
  for (const field of trip.querySelectorAll("[data-skip]")) delete body[field.name]
  const date = by("date").value
  if (date && by("time").value) body[by("mode").value] = instant(`${date}T${by("time").value}`)
  if (date && back() === "at" && by("back").value) body.return_after = instant(`${date}T${by("back").value}`)
  if (back() === "call") body.return_open = true
  if (by("same").checked) body.same_driver = "require"
  if (by("waits").checked && !weekly.checked) body.wait_at_destination = true
  if (weekly.checked && !looking) everyWeek(body)
})
/** The wish as the API wants it; null while something is missing. */
function wish() {
  looking = true
  const body = read(trip)
  looking = false
  const known = person && body.origin && body.destination && body[by("mode").value] && (back() !== "at" || by("back").value)
  return known ? body : null
}

let timer = null
let asked = 0
function look() {
  clearTimeout(timer)
  timer = setTimeout(async () => {
    const body = wish()
    by("back-time").hidden = back() !== "at"
    if (!body) return void possible.replaceChildren(line("p", possible.dataset.wait))
    const mine = ++asked
    possible.setAttribute("aria-busy", "true")
    const answer = await call("POST", "/v1/trip-requests/feasibility", body)
    if (mine !== asked) return
    possible.removeAttribute("aria-busy")
    if (answer.ok) tellPossible(answer.body)
    else possible.replaceChildren(line("p", answer.body?.errors?.map((fault) => fault.detail).join(" ") || answer.body?.detail || ""))
  }, 250)
}
function line(kind, text, look = "") {
  const one = document.createElement(kind)
  one.textContent = text
  one.className = look
  return one
}
const said = (one) => (english ? one.sentence_en : one.sentence)
function tellPossible(found) {
  const parts = [line("p", found.feasible ? possible.dataset.yes : possible.dataset.no, `verdict ${found.feasible ? "yes" : "no"}`)]
  by("override").hidden = !found.obstacles.length
  if (found.obstacles.length) parts.push(line("h3", possible.dataset.rules), list(found.obstacles.map(said)))
  if (found.why.length) parts.push(list([...new Set(found.why.map(said))]))
  if (found.helpers.length) parts.push(line("h3", possible.dataset.with), list(found.helpers.slice(0, 4).map((one) => `${one.name ?? ""} : ${said(one)}`)))
  if (found.alternatives.length) {
    const choices = list(found.alternatives.slice(0, 6).map(said))
    found.alternatives.slice(0, 6).forEach((one, k) => {
      if (one.kind === "volunteer_more") return // to be agreed on with the volunteer first
      const button = line("button", possible.dataset.use, "secondary")
      button.type = "button"
      button.addEventListener("click", () => use(one))
      choices.children[k].append(button)
    })
    parts.push(line("h3", possible.dataset.instead), choices)
  }
  possible.replaceChildren(...parts)
}
function list(sentences) {
  const all = document.createElement("ul")
  all.append(...sentences.map((sentence) => line("li", sentence)))
  return all
}
function use(one) {
  if (one.kind === "one_way") {
    by("trip").querySelector('[name=back][value="none"]').checked = true
    return look()
  }
  const wall = one.arrive_by ?? one.depart_after // with the territory's own offset: its first sixteen letters are the time on the wall
  by("mode").value = one.arrive_by ? "arrive_by" : "depart_after"
  by("date").value = wall.slice(0, 10)
  by("time").value = wall.slice(11, 16)
  if (one.return_after) by("back").value = one.return_after.slice(11, 16)
  look()
}
for (const kind of ["input", "change"]) trip.addEventListener(kind, look)

const spoken = (time) => (english ? time : time.replace(":", " h ").replace(/^0/, "").replace(/ h 00$/, " h"))
function readAloud() {
  const aloud = by("aloud")
  const day = new Date(`${by("date").value}T12:00:00`).toLocaleDateString(english ? "en-GB" : "fr-FR", { weekday: "long", day: "numeric", month: "long" })
  const sentence = aloud.dataset[back() === "at" ? "both" : back() === "call" ? "call" : "one"]
  aloud.textContent = sentence.replace("{date}", day).replace("{time}", spoken(by("time").value))
  by("see").href = `/day/${by("date").value}`
  by("kept").hidden = false
  by("keep").disabled = true
  by("see").focus()
}
async function readWeekly(made) {
  await leaveOut(made)
  const aloud = by("aloud")
  const name = (date) => new Date(`${date}T12:00:00`).toLocaleDateString(english ? "en-GB" : "fr-FR", { weekday: "long", day: "numeric", month: "long" })
  readAloud()
  const days = [...trip.querySelectorAll("[name=weekdays]:checked")].map((box) => box.parentElement.textContent.trim())
  const last = days.pop()
  const said = aloud.dataset.weekly.replace("{days}", [days.join(", "), last].filter(Boolean).join(aloud.dataset.and))
  const first = made.made[0]?.day ?? made.series.first_day
  const without = made.not_made.length ? ` ${aloud.dataset.without.replace("{days}", made.not_made.map(({ day }) => name(day)).join(", "))}` : ""
  aloud.textContent = said.replace("{time}", spoken(by("time").value)).replace("{date}", name(first)) + without
  by("see").href = `/day/${first}`
  by("see-person").href = `/people/${person}`
  by("see-person").hidden = false
}
look()
by("person").focus()
