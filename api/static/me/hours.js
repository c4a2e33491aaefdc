/* « Mes disponibilités », and a volunteer's hours in the console: the week as it is ticked becomes hours; what a change would take away is
 * told before it is made. Fields: templates/me/week.html. */
import { ask, call, refused, tell } from "../allons.js"
import { renew } from "../renew.js"

const words = () => document.getElementById("week-words").dataset
const theWeek = () => document.getElementById("week")

/** The ticked halves of all days as the API wants them; two that meet are one span. */
function hours(week) {
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

function showSpans() {
  for (const day of theWeek()?.querySelectorAll("[data-weekday]") ?? []) {
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
    if (!tried.ok) return await refused(form, tried), null
    const { zone, touched: sentence } = words()
    const said = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" })
    const touched = tried.body.touched.map((ride) => said.format(new Date(ride.pickup_at)))
    if (touched.length && !(await ask(sentence.replace("{rides}", touched.join(" ; "))))) return null
    const done = await call(method, address, body, { version, key: key() })
    if (!done.ok) return await refused(form, done), null
    form.querySelector(".trouble").textContent = ""
    delete form.dataset.typed
    return done
  } finally {
    form.removeAttribute("aria-busy")
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target
  if (form.id === "week") {
    event.preventDefault()
    const version = form.dataset.version
    const done = await change(form, "PUT", `/v1/volunteers/${form.dataset.volunteer}/weekly-hours`, { hours: hours(form) }, { version })
    if (!done) return
    await renew({ saved: form })
    tell(document.getElementById("told"), words().saved, "done")
    document.getElementById("told").scrollIntoView({ block: "center" })
  } else if (form.id === "absence") {
    event.preventDefault()
    const body = Object.fromEntries([...new FormData(form)].filter(([, value]) => value))
    if (await change(form, "POST", `/v1/volunteers/${form.dataset.volunteer}/absences`, body)) await renew()
  }
})
document.addEventListener("input", (event) => {
  if (event.target.form !== theWeek()) return
  tell(document.getElementById("told"), "")
  showSpans()
})
document.addEventListener("allons:renewed", showSpans)
showSpans()
