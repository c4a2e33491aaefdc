/* « Mon trajet » keeps up by itself while somebody looks at it. Without this script everything works; one loads the page anew. */
const EVERY = 20_000

async function renew() {
  if (document.hidden || document.getElementById("state")?.contains(document.activeElement)) return // nothing moves under a finger
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } })
    if (!answer.ok) return
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("state")
    const shown = document.getElementById("state")
    if (fresh && shown && fresh.textContent !== shown.textContent) shown.replaceChildren(...fresh.childNodes)
  } catch {
    // no network: what was known stays
  }
}
setInterval(renew, EVERY)
document.addEventListener("visibilitychange", renew)
