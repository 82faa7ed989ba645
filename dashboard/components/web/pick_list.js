// Search results: one line per instrument, added by a click or by Enter; arrow keys walk the list.

class PickList {
  constructor(root) {
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
    setAttribute(this.list, "aria-label", this.data.label)
    setText(this.note, this.data.note ?? "")
    const id = JSON.stringify(this.data.items)
    if (id === this.drawn) return
    this.drawn = id
    const focused = this.list.querySelector("button:focus")?.dataset.key
    this.list.replaceChildren(...this.data.items.map(item => this.line(item)))
    if (focused) [...this.list.querySelectorAll("button")].find(button => button.dataset.key === focused)?.focus()
  }

  line(item) {
    const li = make("li")
    const button = make("button", item.had ? "had" : "")
    button.dataset.key = item.k
    const words = make("span", "words")
    const top = make("span", "top")
    top.append(make("b", "", item.s), make("span", "tag", item.g))
    words.append(top, make("span", "name muted", item.n))
    button.append(words, make("span", "do", item.had ? "✓ in the list" : "+ Add"))
    button.setAttribute("aria-label", `${item.had ? "Already in the list" : "Add"}: ${item.s}, ${item.n}, ${item.g}`)
    button.onclick = () => { if (!item.had) this.component.setTriggerValue("added", item.k) }
    li.append(button)
    return li
  }
}

export default function (component) {
  return viewOf(component, root => new PickList(root))
}
