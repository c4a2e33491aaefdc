/* Choosing a place: those that are remembered, or words that are looked for. What was found stands as further choices under the same name.
 *
 *   <div data-places="destination"> choices… <input type="search"> <button data-search> <div class="found"> <p class="status" role="status">
 */
import { call } from "../allons.js"

export function makeChoice(name, point, label) {
  const line = document.createElement("label")
  line.className = "choice"
  const radio = document.createElement("input")
  Object.assign(radio, { type: "radio", name, value: point })
  radio.dataset.as = "point"
  radio.dataset.label = label
  radio.dataset.found = "yes"
  const text = document.createElement("bdi")
  text.textContent = label
  line.append(radio, text)
  return line
}

async function search(place) {
  const field = place.querySelector("input[type=search]")
  const status = place.querySelector(".status")
  const text = field.value.trim()
  if (!text) return
  const say = place.dataset
  status.textContent = say.searching
  const answer = await call("POST", "/v1/places/search", { text, limit: 6 })
  if (!answer.ok) {
    status.textContent = answer.status === 0 ? document.getElementById("sayings").dataset.network : say.failed
    return
  }
  const found = place.querySelector(".found")
  for (const line of [...found.children]) if (!line.querySelector(":checked")) line.remove()
  const there = new Set([...found.querySelectorAll("input")].map((radio) => radio.value))
  for (const item of answer.body.items) {
    const point = item.point.join(",")
    if (there.has(point)) continue
    const where = item.locality && !item.label.includes(item.locality) ? `${item.label}, ${item.locality}` : item.label
    found.append(makeChoice(place.dataset.places, point, where))
  }
  const count = answer.body.items.length
  status.textContent = count ? say.found.replace("{n}", count) : say.nothing
  if (count) found.querySelector("input:not(:checked)")?.focus() // Tab alone would pass over them: they are one group with those above
}

for (const place of document.querySelectorAll("[data-places]")) {
  place.querySelector("[data-search]").addEventListener("click", () => search(place))
  place.querySelector("input[type=search]").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return
    event.preventDefault() // looks, and does not send the form
    search(place)
  })
}

// a form that needs a place says so before it asks the API
for (const form of document.querySelectorAll("form[data-place]")) {
  form.addEventListener("change", (event) => {
    if (event.target.type === "radio") form.querySelector(".trouble").textContent = ""
  })
  form.addEventListener("submit", (event) => {
    if (form.querySelector("[data-places] :checked")) return
    event.preventDefault()
    event.stopPropagation()
    const trouble = form.querySelector(".trouble")
    trouble.textContent = form.dataset.place
    form.querySelector("[data-places] input[type=search]").focus()
  })
}
