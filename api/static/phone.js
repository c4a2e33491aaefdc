/* Taking a request by telephone: people and places are looked for while one types, whether it is possible is asked as soon as who, where and
 * when are known, and what was noted is a sentence to be read aloud. */
import { call, instant, read } from "./allons.js"

const by = (id) => document.getElementById(id)
const trip = by("trip")
const possible = by("possible")
const english = document.documentElement.lang === "en"
let person = null

/** An input that looks something up while one types; arrows, Enter and Escape as everywhere. */
function combo(input, list, look, pick) {
  let items = []
  let at = -1
  let timer = null
  let asked = 0
  const close = () => {
    list.hidden = true
    at = -1
    input.setAttribute("aria-expanded", "false")
    input.removeAttribute("aria-activedescendant")
  }
  const choose = (k) => {
    const item = items[k]
    close()
    if (item) pick(item)
  }
  const mark = (k) => {
    at = (k + items.length) % items.length
    ;[...list.children].forEach((one, j) => one.setAttribute("aria-selected", String(j === at)))
    input.setAttribute("aria-activedescendant", list.children[at].id)
    list.children[at].scrollIntoView({ block: "nearest" })
  }
  input.addEventListener("input", () => {
    clearTimeout(timer)
    input.closest(".combo").classList.remove("chosen")
    const text = input.value.trim()
    if (text.length < 2) return close()
    timer = setTimeout(async () => {
      const mine = ++asked
      items = await look(text)
      if (mine !== asked) return
      list.replaceChildren(
        ...items.map((item, k) => {
          const one = document.createElement("li")
          one.role = "option"
          one.id = `${list.id}-${k}`
          one.textContent = item.text
          one.addEventListener("pointerdown", (event) => {
            event.preventDefault()
            choose(k)
          })
          return one
        }),
      )
      list.hidden = !items.length
      input.setAttribute("aria-expanded", String(!list.hidden))
      if (items.length) mark(0)
    }, 120)
  })
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return
    if (event.key === "ArrowDown") mark(at + 1)
    else if (event.key === "ArrowUp") mark(at - 1)
    else if (event.key === "Enter") choose(at)
    else if (event.key === "Escape") close()
    else return
    event.preventDefault()
  })
  input.addEventListener("blur", close)
}

const lookForPeople = async (text) => {
  const answer = await call("POST", "/v1/people/search", { text })
  return answer.ok ? answer.body.items.map((one) => ({ ...one, text: [one.name, one.phone].filter(Boolean).join(" · ") })) : []
}
const lookForPlaces = async (text) => {
  const answer = await call("POST", "/v1/places/search", { text, typing: true })
  return answer.ok ? answer.body.items.map((one) => ({ ...one, text: one.label })) : []
}
function setPlace(input, point, label) {
  const box = input.closest(".combo")
  input.value = label
  box.querySelector("input[type=hidden]").value = point
  box.classList.add("chosen")
  look()
}
for (const [field, list] of [["from", "froms"], ["to", "tos"], ["home", "homes"]]) {
  combo(by(field), by(list), lookForPlaces, (item) => setPlace(by(field), item.point.join(","), item.text))
  by(field).addEventListener("input", () => (by(field).closest(".combo").querySelector("input[type=hidden]").value = ""))
}
combo(by("person"), by("people"), lookForPeople, (item) => take(item.id, item.name))

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
  if (event.target.id === "trip") readAloud()
})

const back = () => new FormData(trip).get("back")
trip.addEventListener("allons:read", ({ detail: body }) => {
  for (const field of trip.querySelectorAll("[data-skip]")) delete body[field.name]
  const date = by("date").value
  if (date && by("time").value) body[by("mode").value] = instant(`${date}T${by("time").value}`)
  if (date && back() === "at" && by("back").value) body.return_after = instant(`${date}T${by("back").value}`)
  if (back() === "call") body.return_open = true
  if (by("same").checked) body.same_driver = "require"
})
/** The wish as the API wants it; null while something is missing. */
function wish() {
  const body = read(trip)
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

function readAloud() {
  const aloud = by("aloud")
  const day = new Date(`${by("date").value}T12:00:00`).toLocaleDateString(english ? "en-GB" : "fr-FR", { weekday: "long", day: "numeric", month: "long" })
  const sentence = aloud.dataset[back() === "at" ? "both" : back() === "call" ? "call" : "one"]
  const time = english ? by("time").value : by("time").value.replace(":", " h ").replace(/^0/, "").replace(/ h 00$/, " h")
  aloud.textContent = sentence.replace("{date}", day).replace("{time}", time)
  by("see").href = `/day/${by("date").value}`
  by("kept").hidden = false
  by("keep").disabled = true
  by("see").focus()
}
look()
by("person").focus()
