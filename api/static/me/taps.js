/* Taps that are kept until the service has them: with their own id and the time of the tap, in order, on this device, for one person.
 *
 * Nothing of a person is kept here: ids and times only. A tap waits ten seconds, so that it can be taken back; leaving the page or the next
 * tap sends it at once. The same tap sent twice is one tap (its id says so), and a lock lets one tab send at a time.
 */
import { call, why } from "../allons.js"

export const HOLD_MS = 10_000
const csrf = () => document.querySelector("meta[name=csrf]")?.content

export class Taps {
  constructor(holder) {
    this.name = `allons-taps-${holder}`
    this.refusedName = `allons-refused-${holder}`
    this.state = "well" // or: away (no network), out (logged out)
  }

  waiting() {
    return kept(this.name)
  }

  refused() {
    return kept(this.refusedName)
  }

  understand() {
    localStorage.removeItem(this.refusedName)
  }

  /** The newest wins nothing over those before it: they are sent first, and at once. */
  add(leg, state) {
    const now = Date.now()
    const tap = { id: crypto.randomUUID(), leg, state, at: new Date(now).toISOString(), due: now + HOLD_MS }
    put(this.name, [...this.waiting().map((one) => ({ ...one, due: now })), tap])
    return tap
  }

  /** Take back what has not been sent yet; false when it is too late. */
  take(id) {
    const taps = this.waiting()
    if (!taps.some((tap) => tap.id === id && !tap.tried)) return false
    put(this.name, taps.filter((tap) => tap.id !== id))
    return true
  }

  /** Send what is due, oldest first. Answers the taps that the service has now: [{leg, state}]. */
  async send(at_once = false) {
    const work = () => this.#send(at_once)
    return navigator.locks ? navigator.locks.request(this.name, work) : work()
  }

  async #send(at_once) {
    const done = []
    for (;;) {
      const [tap] = this.waiting()
      if (!tap || (!at_once && tap.due > Date.now())) return done
      this.#write({ ...tap, tried: true })
      const { id, state, at } = tap
      const answer = await call("POST", `/v1/legs/${tap.leg}/status`, { id, state, at })
      if (answer.ok) {
        this.state = "well"
        done.push({ leg: tap.leg, state: answer.body.state })
      } else if (answer.status === 0 || answer.status === 429 || answer.status >= 500) {
        this.state = "away"
        return done
      } else if (answer.status === 401 || (answer.status === 403 && !tap.anew)) {
        this.state = "out"
        if (answer.status === 403 && (await renewed())) this.#write({ ...tap, anew: true, tried: true })
        else return done
        continue
      } else if (!tap.anew && clock_is_wrong(answer)) {
        this.#write({ ...tap, anew: true, tried: true, at: new Date(Date.parse(at) + skew(answer)).toISOString() })
        continue
      } else {
        put(this.refusedName, [...this.refused(), { state, at, why: why(answer) }])
      }
      put(this.name, this.waiting().filter((one) => one.id !== id))
    }
  }

  #write(tap) {
    put(this.name, this.waiting().map((one) => (one.id === tap.id ? tap : one)))
  }
}

/** A telephone whose clock is fast: its taps are put right by the clock of the service, rather than lost. */
function clock_is_wrong(answer) {
  return answer.status === 422 && answer.body?.errors?.some((fault) => fault.code === "future") && skew(answer) < 0
}

function skew(answer) {
  return (Date.parse(answer.headers.get("Date")) || Date.now()) - Date.now()
}

/** Somebody has logged in anew since this page was made: take the new page's token. */
async function renewed() {
  const before = csrf()
  try {
    const answer = await fetch("/me")
    if (!answer.ok || answer.redirected) return false
    const meta = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("meta[name=csrf]")
    if (!meta || meta.content === before) return false
    document.querySelector("meta[name=csrf]").content = meta.content
    return true
  } catch {
    return false
  }
}

function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "[]")
  } catch {
    return []
  }
}

function put(name, list) {
  if (list.length) localStorage.setItem(name, JSON.stringify(list))
  else localStorage.removeItem(name)
}
