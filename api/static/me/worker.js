/* Stands between the volunteers' pages and the network: the newest page while there is network, the one seen last while there is none.
 *
 * Only pages under /me and the files they need are kept; what the API answers is not. A page says until when it may be kept (people are
 * shown until two hours after their ride), and whoever is sent to the login page keeps nothing.
 */
const PAGES = "allons-me-pages"
const FILES = "allons-me-files"
const UNTIL = "Allons-Keep-Until"
const PATIENCE_MS = 6000

self.addEventListener("install", () => self.skipWaiting())
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()))
self.addEventListener("message", (event) => event.waitUntil(keep(event.data)))
self.addEventListener("fetch", (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== "GET" || origin !== location.origin) return
  if (pathname.startsWith("/static/")) event.respondWith(file(request))
  else if (pathname === "/me" || pathname.startsWith("/me/")) event.respondWith(page(request, pathname))
})

/** What the first page loaded before there was a worker. */
async function keep({ files, page: path }) {
  const cache = await caches.open(FILES)
  const wanted = new Set(files)
  for (const old of await cache.keys()) {
    const kept = /\/static\/([0-9a-f]+)\//.exec(old.url)?.[1]
    if (kept && files.length && !files[0].includes(`/static/${kept}/`)) await cache.delete(old) // of a version before
    wanted.delete(old.url)
  }
  await Promise.all([...wanted].map((url) => cache.add(url).catch(() => undefined)))
  if (!(await (await caches.open(PAGES)).match(path))) await remember(path, await fetch(path))
}

async function file(request) {
  const known = await caches.match(request)
  if (known) return known
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(FILES)).put(request, answer.clone())
  return answer
}

async function page(request, path) {
  const patience = request.mode === "navigate" ? AbortSignal.timeout(PATIENCE_MS) : undefined
  try {
    const answer = await Promise.race([fetch(request), late(patience)])
    await remember(path, answer)
    return answer
  } catch (error) {
    const known = request.mode === "navigate" && (await last(path))
    if (known) return known
    throw error
  }
}

function late(signal) {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("late"))))
}

async function remember(path, answer) {
  if (answer.type === "opaqueredirect" || answer.redirected || answer.status === 401 || answer.status === 403) return caches.delete(PAGES)
  if (answer.status === 200 && answer.headers.has(UNTIL)) await (await caches.open(PAGES)).put(path, answer.clone())
}

/** A page that was kept, unless its time is over: then it is forgotten. */
async function last(path) {
  const cache = await caches.open(PAGES)
  const known = await cache.match(path)
  if (known && Date.parse(known.headers.get(UNTIL)) > Date.now()) return known
  await cache.delete(path)
}
