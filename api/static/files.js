/* Files: somebody is found by name, a list is narrowed while one types. */
import { call, plain } from "./allons.js"

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
