// Gross, charges, net, unrealised: each is a button that opens what it is made of, below.

class Headline {
  constructor(root) {
    this.box = root.querySelector(".tiles")
  }

  receive() {
    const told = JSON.stringify(this.data)
    if (told === this.drawn) return
    this.drawn = told
    const had = this.box.getRootNode().activeElement?.dataset?.id
    this.box.replaceChildren(...this.data.tiles.map(tile => this.tile(tile)))
    if (had) this.box.querySelector(`[data-id="${had}"]`)?.focus()
  }

  tile(told) {
    const open = this.data.open === told.id
    const button = make("button", "tile")
    button.type = "button"
    button.dataset.id = told.id
    button.classList.toggle("stale", told.old)
    setAttribute(button, "aria-expanded", String(open))
    setAttribute(button, "aria-label", `${told.name}: ${told.figure}. ${told.note}. What it is made of`)
    button.append(make("span", "name", told.name), make("span", "opens", open ? "▲" : "▼"), make("span", `figure way ${told.tone}`, told.figure), make("span", told.warn ? "note warn" : "note", told.note))
    button.onclick = () => this.component.setTriggerValue("open", told.id)
    return button
  }
}

export default function (component) {
  return viewOf(component, root => new Headline(root))
}
