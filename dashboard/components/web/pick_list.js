// Search results: one line per instrument, added by a click or by Enter; arrow keys walk the list. Escape, a click
// elsewhere and an addition put it away, until something else is typed or the field is gone back to.

const LATE_MS = 5000
let picked = { text: "", until: 0 } // what stood in the field at the last addition: it may reach the desk after it

class PickList {
  constructor(root) {
    this.box = root.querySelector(".root")
    this.list = root.querySelector("ul")
    this.note = root.querySelector(".note")
    this.list.replaceChildren() // an earlier view on the same root may have left its buttons
    this.list.onkeydown = event => {
      const buttons = [...this.list.querySelectorAll("button")]
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (!step) return
      event.preventDefault()
      buttons[Math.min(buttons.length - 1, Math.max(0, buttons.indexOf(event.target) + step))]?.focus()
    }
  }

  receive() {
    if (!this.listening) this.listen()
    if (this.data.text !== this.text) {
      this.text = this.data.text
      this.box.hidden = this.text === picked.text && performance.now() < picked.until
    }
    setAttribute(this.list, "aria-label", this.data.label)
    setText(this.note, this.data.note ?? "")
    const id = JSON.stringify(this.data.items)
    if (id === this.drawn) return
    this.drawn = id
    const focused = this.list.querySelector("button:focus")?.dataset.key
    this.list.replaceChildren(...this.data.items.map(item => this.line(item)))
    if (focused) [...this.list.querySelectorAll("button")].find(button => button.dataset.key === focused)?.focus()
  }

  listen() {
    const field = event => event.composedPath().some(node => node.matches?.(`input[aria-label="${this.data.field}"]`))
    const look = event => {
      if (field(event)) this.box.hidden = false
      else if (!event.composedPath().includes(this.box)) this.box.hidden = true
    }
    const press = event => {
      if (event.key === "Escape") this.box.hidden = true
      if (event.key === "ArrowDown" && field(event) && !this.box.hidden) {
        event.preventDefault()
        this.list.querySelector("button")?.focus()
      }
    }
    const heard = { pointerdown: look, focusin: look, keydown: press }
    for (const [name, hear] of Object.entries(heard)) document.addEventListener(name, hear, true)
    this.listening = () => {
      for (const [name, hear] of Object.entries(heard)) document.removeEventListener(name, hear, true)
    }
  }

  close() {
    this.listening?.()
    this.listening = null
  }

  line(item) {
    const li = make("li")
    const button = make("button", item.had ? "had" : "")
    button.dataset.key = item.k
    const words = make("span", "words")
    const top = make("span", "top")
    top.append(make("b", "", item.s), make("span", "tag", item.g))
    words.append(top, make("span", "name muted", item.n))
    button.append(words, make("span", "do", item.had ? `✓ ${this.data.had ?? "in the list"}` : this.data.verb ?? "+ Add"))
    button.setAttribute("aria-label", `${item.had ? `Already ${this.data.had ?? "in the list"}` : this.data.verb ?? "Add"}: ${item.s}, ${item.n}, ${item.g}`)
    button.onclick = () => {
      if (item.had) return
      this.box.hidden = true
      const field = document.querySelector(`input[aria-label="${this.data.field}"]`)
      picked = { text: field?.value.trim() ?? "", until: performance.now() + LATE_MS }
      this.component.setTriggerValue("added", item.k)
    }
    li.append(button)
    return li
  }
}

export default function (component) {
  return viewOf(component, root => new PickList(root))
}
