/* What every page with a form or a button needs: forms and buttons speak to the API in JSON, and its errors are shown where they belong.
 *
 *   <form data-call="POST /v1/trip-requests" data-done="go:/day">     fields become JSON by their names (`a.b` is a in b)
 *   <form data-call="PUT /v1/volunteers/{volunteer_id}/…">            {a field's name} in the address is that field
 *   <button data-call="POST /v1/offers/ID/accept" data-body='{"reason": "other"}' data-confirm="…" data-done="reload">
 *
 * A hidden field of something that is chosen (`combo.js`) is `data-need` where nothing can be done without.
 * `data-weigh` (with `data-nothing`, for what is asked even where no ride depends on it): the call is tried with `?dry_run=true` first, and the
 * rides it would reopen are told before it is made.
 *
 * A field's `data-as` says what it becomes: number, list (comma), point ("lon,lat"), instant (a local time of the territory with its
 * offset), json, flag, keep (an empty one is sent as ""). Empty fields are left out, or sent as null with `data-empty="null"`. `data-done`: reload | renew | go:ADDRESS |
 * show:SELECTOR | tell (an event `allons:done` alone). Every call that creates carries an Idempotency-Key that stays the same until it has worked,
 * so that a double tap or a second try has one effect. What was typed is never lost: `data-guard` asks before a form is left with something
 * typed in it, and a page whose `main` is `data-renews` is made anew around what is typed when others have changed it (`renew.js`).
 */
import { renew } from "./renew.js"

const html = document.documentElement
const say = () => document.getElementById("sayings")?.dataset ?? {}
const csrf = () => document.querySelector("meta[name=csrf]")?.content
const keys = new WeakMap()

/** Call the API. Answers {ok, status, body}; never throws: without a network, status is 0. A file is sent as it is. */
export async function call(method, address, body, options = {}) {
  const answer = await callOnce(method, address, body, options)
  return answer.status === 403 && csrf() && (await loggedInAnew()) ? callOnce(method, address, body, options) : answer
}

/** Whether somebody has logged in here since the page was made, in another tab: the page then goes on with that login. */
async function loggedInAnew() {
  const { body } = await callOnce("GET", "/v1/session")
  if (!body?.csrf_token || body.csrf_token === csrf()) return false
  document.querySelector("meta[name=csrf]").content = body.csrf_token
  return true
}

async function callOnce(method, address, body, { key, version } = {}) {
  const headers = { "Accept-Language": html.lang, Accept: "application/json" }
  if (csrf()) headers["X-CSRF-Token"] = csrf()
  if (key) headers["Idempotency-Key"] = key
  if (version) headers["If-Match"] = version
  const file = body instanceof Blob
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json"
  try {
    const answer = await fetch(address, { method, headers, body: file || body === undefined ? body : JSON.stringify(body) })
    const text = await answer.text()
    return { ok: answer.ok, status: answer.status, body: text ? JSON.parse(text) : null, headers: answer.headers }
  } catch {
    return { ok: false, status: 0, body: null }
  }
}

const PATIENCE = 120_000 // ms

/** Call until no round of the day is in the way any more (409 with Retry-After), within reason; `say` tells whoever waits. */
export async function callAfterRound(tellThem, ...what) {
  const end = Date.now() + PATIENCE
  for (;;) {
    const answer = await call(...what)
    const after = answer.status === 409 ? Number(answer.headers.get("Retry-After")) : 0
    if (!after || Date.now() > end) return answer
    tellThem(say().atWork)
    await new Promise((go) => setTimeout(go, 1000 * after))
  }
}

/** A time on the wall of a zone, "2026-11-27T10:40", with the offset it has there; null for one that is none. */
export function instant(wall, zone = html.dataset.zone) {
  const asUtc = Date.parse(`${wall.length === 16 ? `${wall}:00` : wall}Z`)
  if (Number.isNaN(asUtc)) return null
  const shown = (moment) => {
    const parts = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    }).formatToParts(moment)
    const part = Object.fromEntries(parts.map(({ type, value }) => [type, value]))
    return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`)
  }
  let offset = shown(asUtc) - asUtc
  offset = shown(asUtc - offset) - (asUtc - offset) // the offset of that moment, on a day when clocks change
  const minutes = Math.abs(offset) / 60000
  const two = (number) => String(Math.floor(number)).padStart(2, "0")
  return `${new Date(asUtc).toISOString().slice(0, 19)}${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`
}

const AS = {
  number: Number,
  list: (text) => text.split(",").map((part) => part.trim()).filter(Boolean),
  point: (text) => text.split(",").map(Number),
  instant: (text) => instant(text) ?? text,
  json: JSON.parse,
  flag: (text) => text === "true",
  keep: (text) => text,
}

/** A text as it is searched: without accents, in small letters. */
export const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()

/** The fields of a form as the JSON that the API wants; a page may add to it what no field says (event `allons:read`). */
export function read(form) {
  const body = form.dataset.body ? JSON.parse(form.dataset.body) : {}
  const lists = new Set()
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.type === "submit" || (field.type === "radio" && !field.checked)) continue
    let value = field.value.trim()
    if (field.type === "checkbox") {
      if (field.hasAttribute("value")) { // one of a list, which is what the form says and not what `data-body` says
        if (!lists.has(field.name)) put(body, field.name, [])
        lists.add(field.name)
        if (field.checked) at(body, field.name).push(field.dataset.as ? AS[field.dataset.as](field.value) : field.value)
        continue
      }
      value = field.checked
    } else if (value === "" && field.dataset.empty === "null") value = null
    else if (value === "" && field.dataset.as !== "keep") continue
    else if (field.dataset.as ?? (field.type === "number" && "number")) value = AS[field.dataset.as ?? "number"](value)
    else if (field.type === "datetime-local") value = AS.instant(value)
    put(body, field.name, value)
  }
  if (form.dataset.hash) body[form.dataset.hash] = location.hash.slice(1)
  form.dispatchEvent(new CustomEvent("allons:read", { detail: body }))
  return body
}

function put(body, name, value) {
  const path = name.split(".")
  const last = path.pop()
  path.reduce((within, part) => (within[part] ??= {}), body)[last] = value
}

const at = (body, name) => name.split(".").reduce((within, part) => within[part], body)

/** Show what went wrong: in the form's own place, and beside each field that is named. */
export function complain(element, answer) {
  const form = element.closest("form") ?? element
  const place = placeOf(element)
  clear(form)
  const problem = answer.body ?? {}
  const faults = (problem.errors ?? []).filter((fault) => !mark(form, fault))
  const out = answer.status === 401 && csrf()
  const general = answer.status === 0 ? say().network : out ? say().out : answer.status === 412 && document.querySelector("main[data-renews]") ? say().stale : null
  const known = problem.errors ? (faults.length ? "" : problem.title) : problem.detail
  const next = general || problem.errors || problem.type === "urn:allons:error:unauthenticated" ? "" : problem.action // how programs log in
  const sentences = [general ?? known ?? say().failed, next, ...faults.map((fault) => fault.detail)]
  tell(place, sentences.filter(Boolean).join(" "), "broken")
  if (out) place.append(" ", Object.assign(document.createElement("a"), { href: "/login", target: "_blank", textContent: say().login }))
  form.querySelector("[aria-invalid=true]")?.focus()
}

const placeOf = (element) => (element.closest("form") ?? element).querySelector(".trouble") ?? document.getElementById("told")

/** What went wrong, for whoever shows it in one place: what is wrong with each field, where it is about fields. */
export function why(answer) {
  const problem = answer.body ?? {}
  return problem.errors?.map((fault) => fault.detail).join(" ") || problem.detail || ""
}

function mark(form, fault) {
  const name = fault.pointer.replaceAll("[", ".").replaceAll("]", "") // `home[0]` is in `home`
  const named = [...(form.elements ?? [])].find((one) => one.name && (one.name === name || name.startsWith(`${one.name}.`)))
  const field = named?.type === "hidden" ? named.closest(".combo")?.querySelector("input:not([type=hidden])") : named
  if (!field) return false
  field.setAttribute("aria-invalid", "true")
  const note = document.createElement("small")
  note.className = "fault"
  note.id = `fault-${name.replaceAll(".", "-")}`
  note.textContent = fault.detail
  if (!field.hasAttribute("aria-describedby")) field.setAttribute("aria-describedby", note.id)
  ;(field.closest("label") ?? field).append(note)
  return true
}

function clear(form) {
  form.querySelectorAll("[aria-describedby^=fault-]").forEach((field) => field.removeAttribute("aria-describedby"))
  form.querySelectorAll(".fault").forEach((note) => note.remove())
  form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"))
  const place = form.querySelector(".trouble")
  if (place) place.textContent = ""
}

/** A sentence that screen readers say too. */
export function tell(place, sentence, kind = "") {
  if (!place) return
  place.textContent = sentence
  place.dataset.kind = kind
}

/** Ask before a promise is touched. */
export function ask(sentence) {
  const dialog = document.getElementById("ask")
  if (!dialog) return Promise.resolve(true)
  dialog.querySelector("#ask-text").textContent = sentence
  return new Promise((resolve) => {
    const done = (yes) => {
      dialog.onclick = dialog.oncancel = null
      dialog.close()
      resolve(yes)
    }
    dialog.oncancel = () => done(false)
    dialog.onclick = (event) => {
      const button = event.target.closest("button")
      if (button) done(button.value === "yes")
    }
    dialog.showModal()
  })
}

/** What a change would take away is asked first (`dry_run`), and said before it is made. False: it is not to be made. */
async function weigh(element, method, address, body) {
  const answer = await call(method, `${address}?dry_run=true`, body, { key: crypto.randomUUID(), version: element.dataset.version })
  if (!answer.ok) {
    await refused(element, answer)
    return false
  }
  const count = answer.body?.touched?.length ?? 0
  return (!count && !element.dataset.nothing) || ask(count ? element.dataset.weigh.replace("{count}", count) : element.dataset.nothing)
}

/** A field that belongs into the address, and not into the body. */
function take(body, name) {
  const value = body[name]
  delete body[name]
  return encodeURIComponent(value)
}

/** Do what a form or a button says. */
async function send(element) {
  if (element.getAttribute("aria-busy") === "true") return // a double tap
  if (element.dataset.confirm && !(await ask(element.dataset.confirm))) return
  const [method, pattern] = element.dataset.call.split(" ")
  const form = element.matches("form")
  const body = form ? read(element) : element.dataset.body ? JSON.parse(element.dataset.body) : undefined
  const missing = form && [...element.elements].find((field) => "need" in field.dataset && !field.value)
  if (missing) return void complain(element, { body: { errors: [{ pointer: missing.name, detail: say().choose }] } })
  const address = pattern.replace(/\{(\w+)\}/g, (_, name) => take(body, name))
  const text = JSON.stringify([address, body])
  const before = keys.get(element)
  const key = before?.text === text ? before.key : crypto.randomUUID()
  keys.set(element, { text, key })
  tell(document.getElementById("told"), "")
  element.setAttribute("aria-busy", "true")
  if (element.dataset.weigh && !(await weigh(element, method, address, body))) return void element.removeAttribute("aria-busy")
  const place = placeOf(element)
  const how = { key: method === "POST" ? key : undefined, version: element.dataset.version }
  const answer = await callAfterRound((sentence) => tell(place, sentence), method, address, body, how)
  element.removeAttribute("aria-busy")
  if (place?.textContent === say().atWork) tell(place, "")
  if (!answer.ok) return void (await refused(element, answer))
  keys.delete(element)
  delete element.dataset.typed
  if (form) clear(element)
  await finish(element, answer)
}

/** What others have changed meanwhile is shown, around what was typed, and said. */
export async function refused(element, answer) {
  if (answer.status === 409 || answer.status === 412) {
    document.dispatchEvent(new CustomEvent("allons:changed"))
    await renew({ kept: element })
  }
  complain(element.isConnected ? element : document.getElementById("told"), answer)
}

async function finish(element, answer) {
  const event = new CustomEvent("allons:done", { bubbles: true, cancelable: true, detail: answer })
  if (!element.dispatchEvent(event)) return
  const [what, ...rest] = (element.dataset.done ?? "reload").split(":")
  const where = rest.join(":")
  if (what === "reload" || (what === "renew" && !(await renew({ saved: element })))) location.reload()
  else if (what === "renew") tell(document.getElementById("told"), say().saved, "done")
  else if (what === "go") location.assign(where.replace(/\{(\w+)\}/g, (_, name) => answer.body?.[name] ?? ""))
  else if (what === "show") show(document.querySelector(where), answer.body)
  else if (what === "changed") document.dispatchEvent(new CustomEvent("allons:changed"))
}

/** A picture that the API drew: read as a picture, which runs nothing. */
function draw(place, value) {
  const { documentElement: picture } = new DOMParser().parseFromString(value.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '), "image/svg+xml")
  place.replaceChildren(...(value ? [document.importNode(picture, true)] : []))
  return value
}

function show(section, body) {
  for (const place of section.querySelectorAll("[data-from]")) {
    const value = body?.[place.dataset.from] ?? ""
    if (place.dataset.as === "href") place.hidden = !(place.href = value)
    else if (place.dataset.as === "secret") place.textContent = value ? new URL(value).searchParams.get("secret").replace(/.{4}(?=.)/g, "$& ") : ""
    else if (place.dataset.as === "svg") place.hidden = !draw(place, value)
    else place.textContent = value
  }
  section.hidden = false
  section.scrollIntoView()
}

document.addEventListener("input", ({ target }) => {
  target.dataset.typed = "yes"
  if (target.form) target.form.dataset.typed = "yes"
})
addEventListener("beforeunload", (event) => document.querySelector("form[data-guard][data-typed]") && event.preventDefault())
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-call]")) return
  event.preventDefault()
  send(event.target)
})
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-call]")
  if (!button) return
  event.preventDefault()
  send(button)
})
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return
  const element = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)
  if (!element) return
  event.preventDefault()
  if (element.matches("input, select")) element.focus()
  else element.click()
})
// parts of pages are shown anew when something has changed; they say so with hx-trigger="allons:changed from:document"
document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["Accept-Language"] = html.lang
})
