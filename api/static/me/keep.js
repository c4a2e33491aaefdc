/* Keeps the volunteers' pages on the device, for times without network; leaving takes them away again. */
import { tell } from "../allons.js"

const PAGES = "allons-me-pages"

async function start() {
  if (!navigator.serviceWorker) return
  await navigator.serviceWorker.register("/me-worker.js", { scope: "/me" })
  const worker = (await navigator.serviceWorker.ready).active
  const files = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => name.includes("/static/"))
  worker.postMessage({ files, page: location.pathname })
}

document.addEventListener("allons:done", (event) => {
  if (event.target.id === "leave") caches?.delete(PAGES)
})
addEventListener("load", () => start().catch(() => tell(document.getElementById("told"), "")))
