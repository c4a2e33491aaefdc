/* Files: somebody is found by name, a list is narrowed while one types, a place is shown on the map, a paper comes with its picture. */
import { ask, call, complain, plain, tell, why } from "./allons.js"
import { setChoice } from "./combo.js"
import "./map.js"
import { renew } from "./renew.js"

const find = document.getElementById("find")
let timer = null
find?.addEventListener("input", () => {
  clearTimeout(timer)
  const list = document.getElementById("found")
  const text = find.value.trim()
  if (text.length < 2) return list.replaceChildren()
  timer = setTimeout(async () => {
    const answer = await call("POST", "/v1/people/search", { text, kind: find.dataset.kind, limit: 30 })
    if (!answer.ok || find.value.trim() !== text) return
    const found = answer.body.items.map((one) => {
      const link = document.createElement("a")
      link.href = `${find.dataset.at}/${one.id}`
      link.textContent = [one.name, one.phone].filter(Boolean).join(" · ")
      const line = document.createElement("li")
      line.append(link)
      return line
    })
    if (!found.length) found.push(Object.assign(document.createElement("li"), { textContent: list.dataset.none }))
    list.replaceChildren(...found)
  }, 150)
})

const narrow = document.getElementById("narrow")
narrow?.addEventListener("input", () => {
  for (const row of document.querySelectorAll("#volunteers tbody tr")) row.hidden = !plain(row.textContent).includes(plain(narrow.value))
})

// the map of a place: the one field for whose button it was opened
let pinned = null
let map = null
document.addEventListener("allons:map", (event) => (map = event.detail.map), true)
document.addEventListener("click", async ({ target }) => {
  const pin = document.getElementById("pin")
  const button = target.closest("[data-pin], [data-pin-no], [data-pin-yes]")
  if (!button) return
  const trouble = pin.querySelector(".trouble")
  trouble.textContent = ""
  if (button.dataset.pin) {
    pinned = document.getElementById(button.dataset.pin)
    pin.showModal()
    const known = pinned.closest(".combo").querySelector("input[type=hidden]").value
    const go = () => map.jumpTo({ center: known.split(",").map(Number), zoom: 16 })
    if (known && map) go()
    else if (known) document.addEventListener("allons:map", go, { once: true, capture: true })
  } else if (button.matches("[data-pin-no]")) pin.close()
  else if (!map) tell(trouble, pin.dataset.notYet, "broken")
  else {
    const { lng, lat } = map.getCenter()
    const point = [lng, lat].map((degrees) => Number(degrees.toFixed(6)))
    const named = await call("POST", "/v1/places/reverse", { point })
    if (!named.ok) return tell(trouble, why(named), "broken")
    setChoice(pinned, point.join(","), named.body.items[0]?.label || pin.dataset.there)
    pinned.dispatchEvent(new Event("change", { bubbles: true }))
    if (pinned.form) pinned.form.dataset.typed = "yes"
    pin.close()
    pinned.focus()
  }
})

// of a series, rides that volunteers have agreed to stay, until somebody says that they are to be cancelled too
document.addEventListener("allons:done", async (event) => {
  const kept = event.detail.body?.kept
  const button = event.target
  if (!kept?.length || !button.matches("#regular button")) return
  event.preventDefault()
  const days = kept.map(({ day }) => new Date(`${day}T12:00:00`).toLocaleDateString(document.documentElement.lang, { weekday: "long", day: "numeric", month: "long" }))
  if (await ask(document.getElementById("regular").dataset.kept.replace("{days}", days.join(", ")))) {
    const [method, address] = button.dataset.call.split(" ")
    const answer = await call(method, `${address}?also_promised=true`, JSON.parse(button.dataset.body), { key: crypto.randomUUID() })
    if (!answer.ok) return complain(document.getElementById("told"), answer)
  }
  await renew()
})

// a picture is sent as it is, after its paper has been noted
async function attach(address, field) {
  const answer = await call("PUT", address, field.files[0])
  delete field.form.dataset.typed
  await renew({ saved: field.form })
  const told = document.getElementById("told")
  if (answer.ok) tell(told, document.getElementById("sayings").dataset.saved, "done")
  else complain(told, answer)
}
document.addEventListener("submit", (event) => {
  const form = event.target
  if (!form.dataset.proof) return
  event.preventDefault()
  const field = form.querySelector("input[type=file]")
  if (field.files.length) attach(form.dataset.proof, field)
  else field.focus()
})
document.addEventListener("allons:done", (event) => {
  const field = event.target.querySelector?.("[data-proof]")
  if (!field?.files.length) return
  event.preventDefault()
  attach(`/v1/credentials/${event.detail.body.id}/file`, field)
})
