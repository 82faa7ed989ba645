// The heat map: tiles coloured by the change of the day, which is also written on them with its sign and arrow.
// Tiles keep their places between two arrangements, so that nobody clicks on what has just moved away.

const STRONGEST = 3 // percent at which the colour is full
const FULLEST = 46 // percent of the colour: more, and the words on it are hard to read
const SETTLED_MS = 10000
const LEAST_TILE = 2500 // square pixels: room for a name and a percent
const LEAST_WIDTH = 97 // pixels of a tile and the gap beside it, as in the style sheet

class HeatMap {
  constructor(root) {
    this.list = root.querySelector(".tiles")
    this.status = root.querySelector(".status")
    this.legend = root.querySelector(".legend")
    this.list.replaceChildren()
    this.views = new Map()
    this.order = []
    this.arranged = -Infinity
    this.width = 0
    this.list.onpointerenter = event => { this.hovering = event.pointerType === "mouse" }
    this.list.onpointerleave = () => { this.hovering = false }
    this.list.onkeydown = event => this.walk(event)
    this.drawLegend()
  }

  receive() {
    const { tiles, label, sized } = this.data
    setAttribute(this.list, "aria-label", label)
    const present = new Set(tiles.map(tile => tile.k))
    for (const [key, view] of this.views) if (!present.has(key)) { view.item.remove(); this.views.delete(key) }
    for (const tile of tiles) {
      tile.at = this.arrived
      tile.now = tile.t + tile.a * 1000
      const view = this.views.get(tile.k) ?? this.make(tile.k)
      view.tile = tile
      this.takeOver(view)
      this.paint(view)
    }
    const changed = tiles.length !== this.order.length || this.order.some(key => !present.has(key)) || sized !== this.sized
    if (changed || (!this.hovering && performance.now() - this.arranged > SETTLED_MS)) this.arrange()
    if (this.data.push) live.show(this, this.data.push, [...present], [])
    if (!this.watcher) {
      this.watcher = new ResizeObserver(() => {
        if (this.list.clientWidth === this.width) return
        if (this.sized) this.place()
        else this.level()
      })
      this.watcher.observe(this.list)
    }
    this.tick()
  }

  live(keys) {
    for (const key of keys) {
      const view = this.views.get(key)
      if (view) { this.takeOver(view); this.paint(view) }
    }
    this.tick()
  }

  close() {
    live.hide(this)
    this.watcher?.disconnect()
    this.watcher = null
  }

  takeOver({ tile }) {
    const told = live.rows.get(tile.k)
    if (!this.data.push || !told || told.values[FIELD.received_ms] < tile.t) return
    const { values, at, now } = told
    tile.ltp = values[FIELD.ltp]
    tile.pc = values[FIELD.change_percent]
    tile.a = (now - values[FIELD.received_ms]) / 1000
    tile.at = at
    tile.now = now
    tile.p = values[FIELD.last_trade_ms]
    tile.feed = values[FIELD.from_feed]
    if (values[FIELD.received_ms] > tile.t) tile.o = false // newer than the trouble that the page knows of
  }

  make(key) {
    const item = make("li")
    const button = make("button", "tile")
    const name = make("b")
    const change = make("span")
    const [mark, percent] = [make("i"), make("u")]
    change.append(mark, percent)
    button.append(name, change)
    button.dataset.key = key
    button.onclick = () => {
      this.data.picked = key
      this.markPicked()
      this.component.setTriggerValue("picked", key)
    }
    item.append(button)
    const view = { item, button, name, mark, percent }
    this.views.set(key, view)
    return view
  }

  paint({ tile, button, name, mark, percent }) {
    const { s, n, pc, ltp, d } = tile
    const seen = `${s} ${pc} ${ltp}`
    if (button.dataset.seen === seen) return
    button.dataset.seen = seen
    for (const tone of ["up", "down", "flat"]) button.classList.toggle(tone, tone === direction(pc ?? 0))
    button.style.setProperty("--much", `${colourOf(pc)}%`)
    setText(name, s)
    setText(mark, pc ? `${arrowOf(pc)} ` : "")
    setText(percent, pc === null ? MISSING : `${digits(pc, 2, true)}%`)
    const words = pc === null ? "change not known" : `${pc > 0 ? "up" : pc < 0 ? "down" : "unchanged"} ${digits(Math.abs(pc), 2)} percent`
    setAttribute(button, "aria-label", `${s}, ${words}, ${digits(ltp, d)}`)
    button.dataset.words = `${s}${n && n !== s ? ` · ${n}` : ""}\n${digits(ltp, d)}, ${percent.textContent}`
  }

  arrange() {
    this.arranged = performance.now()
    this.sized = this.data.sized
    const size = tile => (this.sized ? tile.w ?? 0 : tile.pc ?? -Infinity)
    const tiles = [...this.views.values()].map(view => view.tile)
    tiles.sort((a, b) => size(b) - size(a) || a.s.localeCompare(b.s))
    const order = tiles.map(tile => tile.k)
    const focused = this.list.querySelector("button:focus")
    if (order.some((key, i) => this.list.children[i] !== this.views.get(key).item)) {
      for (const key of order) this.list.append(this.views.get(key).item)
      focused?.focus()
    }
    this.order = order
    this.list.className = `tiles ${this.sized ? "sized" : "equal"}`
    if (this.sized) this.place()
    else {
      this.list.style.height = ""
      for (const { item, button } of this.views.values()) {
        item.style.cssText = ""
        button.classList.remove("small", "tiny")
      }
      this.level()
    }
  }

  // Rows of the same length, as far as that goes: of sixteen tiles two rows of eight, not twelve and four.
  level() {
    this.width = this.list.clientWidth
    const most = Math.max(1, Math.floor((this.width + 3) / LEAST_WIDTH))
    const rows = Math.ceil(this.views.size / most)
    this.list.style.gridTemplateColumns = rows > 1 ? `repeat(${Math.ceil(this.views.size / rows)}, minmax(0, 1fr))` : ""
  }

  // Tiles as large as their weight, as square as they can be.
  place() {
    this.width = this.list.clientWidth
    const least = LEAST_TILE
    const height = Math.round(Math.max(320, (this.order.length * least * 1.8) / Math.max(this.width, 1)))
    this.list.style.height = `${height}px`
    const tiles = this.order.map(key => this.views.get(key))
    const total = tiles.reduce((sum, view) => sum + (view.tile.w ?? 0), 0)
    const left = this.width * height - tiles.length * least
    const boxes = squarified(tiles.map(view => least + ((view.tile.w ?? 0) / total) * left), this.width, height)
    tiles.forEach(({ item, button }, i) => {
      const { x, y, w, h } = boxes[i]
      Object.assign(item.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` })
      button.classList.toggle("small", w < 84 || h < 40)
      button.classList.toggle("tiny", w < 56 || h < 30)
    })
  }

  markPicked() {
    for (const [key, { button }] of this.views) {
      button.classList.toggle("picked", key === this.data.picked)
      setAttribute(button, "aria-pressed", key === this.data.picked)
    }
  }

  walk(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const buttons = [...this.list.querySelectorAll("button")]
    buttons[Math.min(buttons.length - 1, Math.max(0, buttons.indexOf(event.target) + step))]?.focus()
  }

  drawLegend() {
    const chip = (tone, percent) => {
      const box = make("i", tone)
      box.style.setProperty("--much", `${colourOf(percent)}%`)
      return box
    }
    this.legend.replaceChildren(
      make("span", "", `▼ ${digits(-STRONGEST, 0)}%`), chip("down", -3), chip("down", -1.5), chip("down", -0.4), chip("flat", 0),
      chip("up", 0.4), chip("up", 1.5), chip("up", 3), make("span", "", `▲ ${digits(STRONGEST, 0, true)}%`),
    )
  }

  tick() {
    const silent = isSilent(this)
    const aged = []
    let stale = 0
    for (const { tile, button } of this.views.values()) {
      const age = tile.a === null ? null : tile.a + secondsSince(tile.at, this.data)
      const old = age !== null && (silent || isOld({ feed: tile.feed, troubled: tile.o, moves: tile.m, age }, this.data))
      button.classList.toggle("stale", old)
      const title = `${button.dataset.words}${age === null ? "" : `, ${sinceText(tile, age, old)}`}`
      if (button.title !== title) button.title = title
      if (old) stale += 1
      aged.push({ row: tile, age })
    }
    this.markPicked()
    const count = this.views.size
    this.legend.hidden = count > 0 && stale === count // its colours are on no tile then
    setAttribute(this.status, "data-rows", count)
    setAttribute(this.status, "data-stale", stale)
    const { live: feeds, why } = feedWord(this.data)
    const doubt = stale ? `, ${stale} not current${!feeds && why ? `: ${why}` : ""}` : ""
    const missing = this.data.missing ? `, ${this.data.missing} without a price left out` : ""
    const sizes = this.sized ? " Size: rupees traded today, and the same for all besides." : this.data.unsized ? " None of them tells how much was traded, so all are equal." : ""
    setText(
      this.status,
      silent
        ? `No word from the desk for ${ageText(silentSeconds(this))}: prices are not current.`
        : `Newest price ${newestText(aged)}${doubt}${missing}.${sizes}`,
    )
    this.status.classList.toggle("warn", silent)
  }
}

function colourOf(percent) {
  return 7 + Math.round((Math.min(Math.abs(percent ?? 0), STRONGEST) / STRONGEST) * (FULLEST - 7))
}

// Boxes for `weights` (descending) that fill the area: rows along the shorter side, each begun anew where another box
// would make it less square (Bruls, Huizing, van Wijk: Squarified Treemaps).
function squarified(weights, width, height) {
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1
  const areas = weights.map(weight => (weight / total) * width * height)
  const boxes = []
  let [x, y, w, h] = [0, 0, width, height]
  let from = 0
  while (from < areas.length) {
    const side = Math.min(w, h)
    let to = from + 1
    let sum = areas[from]
    let worst = ratio(areas, from, to, sum, side)
    while (to < areas.length) {
      const next = ratio(areas, from, to + 1, sum + areas[to], side)
      if (next > worst) break
      sum += areas[to]
      to += 1
      worst = next
    }
    const thick = side > 0 ? sum / side : 0
    let along = 0
    for (let i = from; i < to; i += 1) {
      const length = thick > 0 ? areas[i] / thick : 0
      boxes.push(w >= h ? { x, y: y + along, w: thick, h: length } : { x: x + along, y, w: length, h: thick })
      along += length
    }
    if (w >= h) { x += thick; w -= thick } else { y += thick; h -= thick }
    from = to
  }
  return boxes
}

function ratio(areas, from, to, sum, side) {
  const [largest, smallest] = [areas[from], areas[to - 1]]
  return Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * smallest))
}

export default function (component) {
  return viewOf(component, root => new HeatMap(root))
}
