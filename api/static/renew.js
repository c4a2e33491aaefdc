/* A page that is shown anew while somebody is typing in it: everything becomes as it is now, but for what was typed.
 *
 * Only pages whose `main` is `data-renews`. A form that nobody has typed in is the new one. One that somebody has typed in stays as it stands,
 * with the version and the file that it changes renewed: fields that were not touched show what they are now, and beside those that were
 * touched, and that others have changed too, stands what they are now. What was opened stays open. Scripts that hold on to parts of the page
 * take hold again at `allons:renewed`.
 */

/** Fetch the page and put it in place. `kept`: a form that stays as if it had been typed in; `saved`: one that is done with, and closed.
 * False: it could not be, and nothing was changed. */
export async function renew({ kept, saved } = {}) {
  const main = document.querySelector("main[data-renews]")
  if (!main) return false
  const fresh = await fetchMain()
  if (!fresh) return false
  const from = document.activeElement
  const at = from?.closest("details[id]")?.id ?? from?.id
  for (const one of main.querySelectorAll("details[id][open]")) if (one !== saved?.closest("details")) fresh.querySelector(`#${one.id}`)?.setAttribute("open", "")
  for (const old of main.querySelectorAll("form[id]")) {
    const now = fresh.querySelector(`#${old.id}`)
    if (!now || (!old.dataset.typed && old !== kept)) continue
    merge(old, now)
    now.replaceWith(old)
  }
  main.replaceChildren(...fresh.childNodes)
  const focused = (at && document.getElementById(at)) || (from?.dataset?.call && main.querySelector(`[data-call="${CSS.escape(from.dataset.call)}"]`))
  if (!main.contains(document.activeElement)) (focused?.querySelector?.("summary") ?? (focused || main)).focus({ preventScroll: !focused })
  document.dispatchEvent(new CustomEvent("allons:renewed"))
  return true
}

async function fetchMain() {
  const headers = { Accept: "text/html", "Accept-Language": document.documentElement.lang }
  const answer = await fetch(location.href, { headers }).catch(() => null)
  if (!answer?.ok || answer.redirected) return null
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
  const csrf = page.querySelector("meta[name=csrf]")?.content
  if (csrf) document.querySelector("meta[name=csrf]").content = csrf
  return page.querySelector("main[data-renews]")
}

const boxed = (field) => field.type === "checkbox" || field.type === "radio"
const key = (field) => (boxed(field) ? `${field.name}=${field.value}` : field.name)
const before = (field) => {
  if (boxed(field)) return field.defaultChecked
  return field.options ? ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value : (field.dataset.was ?? field.defaultValue)
}

/** What `now` says goes into `old`, but for what was typed there. */
function merge(old, now) {
  for (const name of ["call", "version", "body", "others"]) if (name in now.dataset) old.dataset[name] = now.dataset[name]
  const theirs = new Map([...now.elements].filter((field) => field.name).map((field) => [key(field), field]))
  for (const field of old.elements) {
    const one = theirs.get(key(field))
    if (!one || before(one) === before(field)) continue
    if (!field.dataset.typed) boxed(field) ? (field.checked = one.checked) : (field.value = one.value)
    else if (field.type !== "hidden" && (boxed(field) ? field.checked !== one.checked : field.value !== one.value)) note(field, one)
    if (boxed(field)) field.defaultChecked = one.checked
    else if (field.options) {
      const chosen = field.value // which a new default may change
      for (const option of field.options) option.defaultSelected = option.value === one.value
      field.value = chosen
    } else if (field.type === "hidden") field.dataset.was = one.value
    else field.defaultValue = one.value
  }
}

/** What others have written there meanwhile. */
function note(field, one) {
  const label = field.closest("label") ?? field
  const text = boxed(one) ? (one.checked ? "✓" : "✗") : one.options ? one.selectedOptions[0]?.textContent : one.value
  label.querySelector(".meanwhile")?.remove()
  const said = Object.assign(document.createElement("small"), { className: "meanwhile" })
  said.textContent = document.getElementById("sayings").dataset.meanwhile.replace("{text}", text || "–")
  label.append(said)
}
