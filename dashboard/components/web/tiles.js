// Figures of which each is a link to the page that explains it. A plain click stays in this session; the address is
// real, so that a tile can be opened in another tab as well.

const SILENT_MS = 15000

class Tiles {
  constructor(root) {
    this.box = root.querySelector(".tiles")
    this.box.replaceChildren()
    this.links = new Map()
  }

  receive() {
    const { tiles, label } = this.data
    setAttribute(this.box, "aria-label", label)
    this.box.style.setProperty("--across", tiles.length)
    const there = new Set(tiles.map(tile => tile.id))
    for (const [id, link] of this.links) if (!there.has(id)) { link.remove(); this.links.delete(id) }
    for (const tile of tiles) this.patch(tile)
    this.tick()
  }

  // Figures that are renewed all the time and suddenly are not, are not called current any more.
  tick() {
    const old = Boolean(this.data.every) && performance.now() - this.arrived > Math.max(SILENT_MS, 3000 * this.data.every)
    this.box.classList.toggle("old", old)
    setAttribute(this.box, "title", old ? "No word from the desk: not current" : null)
  }

  patch(tile) {
    let link = this.links.get(tile.id)
    if (!link) {
      link = make("a", "tile")
      link.append(make("span", "name"), make("span", "figure"), make("span", "note"))
      link.onclick = event => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        this.component.setTriggerValue("go", tile.id)
      }
      this.links.set(tile.id, link)
      this.box.append(link)
    }
    const [name, figure, note] = link.children
    setAttribute(link, "href", tile.href)
    link.classList.toggle("stale", tile.old)
    setText(name, tile.name)
    setText(figure, tile.figure)
    figure.className = `figure way ${tile.tone}`
    setText(note, tile.note)
    note.className = tile.warn ? "note warn" : "note"
  }
}

export default function (component) {
  return viewOf(component, root => new Tiles(root))
}
