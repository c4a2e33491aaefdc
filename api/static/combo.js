/* Fields in which people and places are looked for while one types: an input, the list of what was found, and a hidden field with what was chosen.
 *
 *   <div class="combo"><label>… <input role="combobox" aria-controls="LIST" …></label><ul id="LIST" role="listbox" hidden></ul><input type="hidden" name="…"></div>
 *
 * With `data-look="place"`, `"beneficiary"` or `"volunteer"` on the input nothing else is needed: it begins when somebody comes to it.
 * `data-pin` on a button in it: the place is shown on the map instead (templates/files/pin.html).
 */
import { call } from "./allons.js"

/** An input that looks something up while one types; arrows, Enter and Escape as everywhere. */
export function combo(input, look, pick) {
  const list = document.getElementById(input.getAttribute("aria-controls"))
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

export const lookForPeople = (kind) => async (text) => {
  const answer = await call("POST", "/v1/people/search", { text, kind })
  return answer.ok ? answer.body.items.map((one) => ({ ...one, text: [one.name, one.phone].filter(Boolean).join(" · ") })) : []
}
export const lookForPlaces = async (text) => {
  const answer = await call("POST", "/v1/places/search", { text, typing: true })
  return answer.ok ? answer.body.items.map((one) => ({ ...one, value: one.point.join(","), text: one.label })) : []
}

/** What was chosen stands in the field, and its value in the hidden one; without a value: what is typed there is nothing yet. */
export function setChoice(input, value, label) {
  const box = input.closest(".combo")
  const hidden = box.querySelector("input[type=hidden]")
  if (label !== undefined) input.value = label
  hidden.dataset.was ??= hidden.value
  hidden.dataset.typed = "yes"
  hidden.value = value
  box.classList.toggle("chosen", value !== "")
}

const begun = new WeakSet()
document.addEventListener("focusin", ({ target }) => {
  const kind = target.dataset.look
  if (!kind || begun.has(target)) return
  begun.add(target)
  const look = kind === "place" ? lookForPlaces : lookForPeople(kind)
  combo(target, look, (item) => setChoice(target, item.value ?? item.id, item.text))
  target.addEventListener("input", () => setChoice(target, ""))
})
