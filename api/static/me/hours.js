/* « Mes disponibilités »: the week as it is ticked becomes hours; what a change would take away is told before it is made. */
import { ask, call, complain, tell } from "../allons.js"

const words = document.getElementById("me-words").dataset
const told = document.getElementById("told")
const week = document.getElementById("week")
const absence = document.getElementById("absence")
const said = new Intl.DateTimeFormat(document.documentElement.lang, {
  timeZone: words.zone, weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit",
})

/** The ticked halves of all days as the API wants them; two that meet are one span. */
function hours() {
  const rows = JSON.parse(week.dataset.others)
  for (const day of week.querySelectorAll("[data-weekday]")) {
    const spans = ["am", "pm"].filter((half) => day.querySelector(`[data-half=${half}]`).checked).map((half) => ({
      weekday: Number(day.dataset.weekday),
      starts: day.querySelector(`[data-starts=${half}]`).value,
      ends: day.querySelector(`[data-ends=${half}]`).value.replace(/^00:00$/, "24:00"),
    }))
    if (spans.length === 2 && spans[0].ends === spans[1].starts) spans.splice(0, 2, { ...spans[0], ends: spans[1].ends })
    rows.push(...spans)
  }
  return rows
}

function show_spans() {
  for (const day of week.querySelectorAll("[data-weekday]")) {
    for (const box of day.querySelectorAll("[data-half]")) {
      const time = (name) => day.querySelector(`[data-${name}=${box.dataset.half}]`).value.replace(/^0/, "").replace(":", " h ").replace(" h 00", " h")
      box.parentElement.querySelector(".span").textContent = box.checked ? `${time("starts")} – ${time("ends")}` : ""
    }
  }
}

/** Try it, ask when it takes rides away, do it. Answers null when it was not done. */
async function change(form, method, address, body, { version } = {}) {
  if (form.getAttribute("aria-busy") === "true") return null
  form.setAttribute("aria-busy", "true")
  try {
    const key = () => (method === "POST" ? crypto.randomUUID() : undefined)
    const tried = await call(method, `${address}?dry_run=true`, body, { version, key: key() })
    if (!tried.ok) return complain(form, tried), null
    const touched = tried.body.touched.map((ride) => said.format(new Date(ride.pickup_at)))
    if (touched.length && !(await ask(words.touched.replace("{rides}", touched.join(" ; "))))) return null
    const done = await call(method, address, body, { version, key: key() })
    if (!done.ok) return complain(form, done), null
    form.querySelector(".trouble").textContent = ""
    return done
  } finally {
    form.removeAttribute("aria-busy")
  }
}

week.addEventListener("submit", async (event) => {
  event.preventDefault()
  const done = await change(week, "PUT", `/v1/volunteers/${week.dataset.volunteer}/weekly-hours`, { hours: hours() }, { version: week.dataset.version })
  if (!done) return
  week.dataset.version = done.headers.get("ETag")
  delete week.dataset.changed
  tell(told, words.saved)
  told.scrollIntoView({ block: "center" })
})
week.addEventListener("input", () => {
  week.dataset.changed = "yes"
  tell(told, "")
  show_spans()
})
absence.addEventListener("submit", async (event) => {
  event.preventDefault()
  const body = Object.fromEntries([...new FormData(absence)].filter(([, value]) => value))
  const done = await change(absence, "POST", `/v1/volunteers/${absence.dataset.volunteer}/absences`, body)
  if (done) location.reload()
})
addEventListener("beforeunload", (event) => week.dataset.changed && event.preventDefault()) // nothing that was ticked is lost unseen
show_spans()
