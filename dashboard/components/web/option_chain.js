// An option chain: calls to the left, strikes, puts to the right. Patches cells in place; the price of the underlying is
// a line between the strikes, and what is in the money lies on its side of that line, hatched. Rows that are scrolled out
// of sight are painted when they come into it: of two hundred contracts thirty are seen, and all of them move at once.

const STRIKE_WIDTH = 80
const NARROW = 400 // pixels: less has a phone in its breadth
const NARROW_STRIKE = 68
const NARROWER = 3 // pixels of each other column

class OptionChain extends ChainFigures {
  constructor(root) {
    super()
    this.figures = root.querySelector(".figures")
    this.scroll = root.querySelector(".scroll")
    this.table = root.querySelector("table")
    this.cols = root.querySelector("colgroup")
    this.sides = root.querySelector(".sides")
    this.heads = root.querySelector(".heads")
    this.body = root.querySelector("tbody")
    this.foot = root.querySelector("tfoot tr")
    this.status = root.querySelector(".status")
    for (const part of [this.figures, this.cols, this.sides, this.heads, this.body, this.foot]) part.replaceChildren()
    this.rows = new Map() // strike -> view
    this.contracts = new Map() // key -> { side, cells, seen }
    this.facts = new Map()
    this.line = make("tr", "spot")
    this.lineCell = make("td")
    this.lineWords = make("span", "words")
    this.lineCell.append(this.lineWords)
    this.line.append(this.lineCell)
    this.body.onclick = event => this.pick(event.target.closest("td[data-k]"))
    this.body.onkeydown = event => this.walk(event)
    this.due = new Set() // contracts that have news but are out of sight
    this.scroll.onscroll = () => {
      if (this.scrolling) return
      this.scrolling = requestAnimationFrame(() => { this.scrolling = null; this.showTotals(); this.paintDue() })
    }
  }

  receive() {
    const { columns, rows, label, id } = this.data
    setAttribute(this.table, "aria-label", label)
    const layout = JSON.stringify(columns)
    if (layout !== this.layout || id !== this.id) {
      this.layout = layout
      this.drawFrame(columns)
      this.body.replaceChildren()
      this.rows.clear()
      this.contracts.clear()
      this.due.clear()
      this.height = 0
    }
    this.fit()
    this.price = { ...this.data.spot, at: this.arrived }
    this.takeSpot()
    const present = new Set(rows.map(row => row.s))
    for (const [strike, view] of this.rows) if (!present.has(strike)) this.drop(strike, view)
    for (const row of rows) this.patchRow(row)
    this.arrange(rows)
    this.paintDue()
    this.measure()
    this.drawBars()
    this.drawTotals()
    this.drawSpot()
    if (this.data.push) {
      const keys = [...this.contracts.keys()]
      if (this.price.k) keys.push(this.price.k)
      live.show(this, this.data.push, keys, [])
    }
    this.id = id
    if (this.centred !== id && typeof this.atm === "number") {
      this.centred = id
      requestAnimationFrame(() => this.centre())
    }
    this.markPicked()
    this.tick()
  }

  // What the push channel told of some instruments.
  live(keys) {
    for (const key of keys) {
      const view = this.contracts.get(key)
      if (!view) continue
      this.takeOver(key, view)
      this.due.add(view)
    }
    this.paintDue()
    if (keys.has(this.price.k)) {
      this.takeSpot()
      this.drawSpot()
    }
    this.tick()
  }

  close() { live.hide(this) }

  // A figure that the quotes do not tell stays as the chain told it.
  takeOver(key, { side }) {
    const told = live.rows.get(key)
    if (!this.data.push || !told || told.values[FIELD.received_ms] < (side.t ?? 0)) return
    const { values, at, now } = told
    side.v = this.data.columns.map((column, i) => column.f.map((place, j) => (place === null ? null : values[place]) ?? side.v[i][j]))
    side.a = (now - values[FIELD.received_ms]) / 1000
    side.at = at
    side.now = now
    side.p = values[FIELD.last_trade_ms]
    side.feed = values[FIELD.from_feed]
    if (values[FIELD.received_ms] > (side.t ?? 0)) side.o = false // newer than the trouble that the page knows of
  }

  drawFrame(columns) {
    const order = { c: [...columns].reverse(), p: columns }
    this.cols.replaceChildren()
    this.heads.replaceChildren()
    this.sides.replaceChildren()
    this.widths = []
    for (const side of SIDES) {
      const group = make("th", side === "c" ? "calls" : "puts", side === "c" ? "Calls" : "Puts")
      group.scope = "colgroup"
      group.colSpan = columns.length
      this.sides.append(group)
      if (side === "p") { // between the two: the strikes
        const middle = make("th", "strike")
        this.sides.insertBefore(middle, group)
        const head = make("th", "strike", "Strike")
        head.scope = "col"
        this.heads.append(head)
        this.widths.push({ usual: STRIKE_WIDTH, narrow: NARROW_STRIKE })
        this.cols.append(make("col"))
      }
      for (const column of order[side]) {
        const th = make("th", "", column.label)
        th.scope = "col"
        th.title = column.help
        this.heads.append(th)
        this.widths.push({ usual: column.w, narrow: column.w - NARROWER })
        this.cols.append(make("col"))
      }
    }
    this.narrow = null
    this.lineCell.colSpan = columns.length * 2 + 1
  }

  // On a phone price, bid and ask of both sides find room beside the strikes if each column gives a little.
  fit() {
    const room = this.scroll.clientWidth
    const narrow = room > 0 && room < NARROW
    if (narrow === this.narrow) return
    this.narrow = narrow
    const widths = this.widths.map(width => (narrow ? width.narrow : width.usual))
    widths.forEach((width, i) => { this.cols.children[i].style.width = `${width}px` })
    this.table.style.minWidth = `${widths.reduce((sum, width) => sum + width, 0)}px`
  }

  drop(strike, view) {
    view.tr.remove()
    this.rows.delete(strike)
    for (const side of SIDES) this.forget(view.row[side]?.k)
  }

  forget(key) {
    this.due.delete(this.contracts.get(key))
    this.contracts.delete(key)
  }

  patchRow(row) {
    let view = this.rows.get(row.s)
    if (!view) {
      view = { tr: make("tr"), strike: make("th", "strike"), cells: { c: [], p: [] } }
      view.tr.dataset.strike = row.s
      view.strike.scope = "row"
      setText(view.strike, digits(row.s, this.data.sd))
      for (const side of SIDES) {
        view.cells[side] = this.data.columns.map(column => make("td", `${NAMES[side]} k-${column.kind}`))
        if (side === "c") view.tr.append(...[...view.cells.c].reverse(), view.strike)
        else view.tr.append(...view.cells.p)
      }
      this.rows.set(row.s, view)
    }
    for (const name of SIDES) {
      const side = row[name]
      const before = view.row?.[name]
      if (before && before.k !== side?.k) this.forget(before.k)
      if (!side) {
        for (const cell of view.cells[name]) { setText(cell, MISSING); cell.classList.add("none"); delete cell.dataset.k }
        continue
      }
      side.at = this.arrived
      side.now = side.t + side.a * 1000
      let contract = this.contracts.get(side.k)
      if (!contract) {
        contract = { cells: view.cells[name], seen: [] }
        this.contracts.set(side.k, contract)
        for (const cell of contract.cells) { cell.dataset.k = side.k; cell.classList.remove("none") }
        contract.cells[0].tabIndex = -1
        setAttribute(contract.cells[0], "aria-label", null)
      }
      contract.side = side
      contract.strike = row.s
      this.takeOver(side.k, contract)
      this.due.add(contract)
    }
    view.row = row
  }

  // Paints what has news and is in sight, a few rows more on either side.
  paintDue() {
    const [from, to] = this.inSight()
    for (const contract of this.due) {
      if (contract.strike < from || contract.strike > to) continue
      this.due.delete(contract)
      this.patchSide(contract)
    }
  }

  // The lowest and the highest strike in sight. Reads no place of a row: that would make the browser lay out everything.
  inSight() {
    if (!this.height) return [-Infinity, Infinity]
    const first = Math.floor(this.scroll.scrollTop / this.height) - 4
    const last = Math.ceil((this.scroll.scrollTop + this.tall) / this.height) + 2
    const end = this.strikes.length - 1
    return [this.strikes[Math.min(end, Math.max(0, first))], this.strikes[Math.min(end, Math.max(0, last))]]
  }

  measure() {
    const row = this.rows.get(this.strikes[0])?.tr
    this.height = row?.offsetHeight ?? 0
    this.tall = this.scroll.clientHeight
  }

  patchSide(contract) {
    this.data.columns.forEach((column, i) => {
      const values = contract.side.v[i]
      const seen = values.join(" ")
      if (contract.seen[i] === seen) return
      const before = contract.last?.[i]?.[0]
      const cell = contract.cells[i]
      contract.seen[i] = seen
      CHAIN_PAINT[column.kind](cell, values, column.d ?? this.data.d)
      if (column.kind === "ltp" && typeof before === "number" && typeof values[0] === "number" && before !== values[0]) {
        this.flash(cell, values[0] > before ? "rise" : "fall")
      }
    })
    contract.last = contract.side.v
  }

  // Two names of one animation in turn begin it anew; to ask for a size in between would lay out the table each time.
  flash(cell, name) {
    const again = cell.classList.contains(name)
    cell.classList.remove("rise", "fall", "rise-2", "fall-2")
    cell.classList.add(again ? `${name}-2` : name)
  }

  arrange(rows) {
    let place = 0
    for (const { s } of rows) {
      if (this.body.children[place] === this.line) place += 1
      const { tr } = this.rows.get(s)
      if (this.body.children[place] !== tr) this.body.insertBefore(tr, this.body.children[place] ?? null)
      place += 1
    }
    this.strikes = rows.map(row => row.s)
    this.below = undefined
  }

  // The strike at the money into the middle, both ways.
  centre() {
    this.scroll.scrollLeft = (this.scroll.scrollWidth - this.scroll.clientWidth) / 2
    this.showTotals()
    const tr = this.rows.get(this.atm)?.tr
    if (tr) {
      const [over, under] = [this.heads.offsetTop + this.heads.offsetHeight, this.foot.offsetHeight]
      this.scroll.scrollTop = tr.offsetTop + (tr.offsetHeight + under - over - this.scroll.clientHeight) / 2
    }
  }

  pick(cell) {
    if (!cell) return
    this.data.picked = cell.dataset.k
    this.markPicked()
    this.component.setTriggerValue("picked", cell.dataset.k)
  }

  markPicked() {
    const home = this.contracts.has(this.data.picked) ? this.data.picked : this.rows.get(this.atm)?.row.c?.k ?? this.contracts.keys().next().value
    for (const [key, { cells }] of this.contracts) {
      const picked = key === this.data.picked
      for (const cell of cells) cell.classList.toggle("picked", picked)
      setAttribute(cells[0], "aria-selected", picked)
      cells[0].tabIndex = key === home ? 0 : -1
    }
  }

  // Arrow keys go from price to price; Enter chooses.
  walk(event) {
    const cell = event.target.closest("td.k-ltp[data-k]")
    if (!cell) return
    const call = cell.classList.contains("call")
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }
    const strike = Number(cell.parentNode.dataset.strike)
    if (event.key in steps) {
      event.preventDefault()
      const place = this.strikes.indexOf(strike) + steps[event.key]
      const next = this.strikes[Math.min(this.strikes.length - 1, Math.max(0, place))]
      this.rows.get(next).cells[call ? "c" : "p"][0].focus()
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault()
      this.rows.get(strike).cells[event.key === "ArrowLeft" ? "c" : "p"][0].focus()
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      this.pick(cell)
    }
  }

  tick() {
    const silent = isSilent(this)
    const aged = []
    let stale = 0
    let priced = 0
    for (const contract of this.contracts.values()) {
      const { side, cells } = contract
      const age = side.a === null ? null : side.a + secondsSince(side.at, this.data)
      const old = age !== null && (silent || isOld({ feed: side.feed, troubled: side.o, moves: side.m, age }, this.data))
      if (old) stale += 1
      if (age !== null) priced += 1
      aged.push({ row: side, age })
      if (contract.old !== old) {
        contract.old = old
        for (const cell of cells) cell.classList.toggle("stale", old)
      }
    }
    const count = this.contracts.size
    this.tickFigures(silent, count > 0 && stale === count)
    setAttribute(this.status, "data-rows", count)
    setAttribute(this.status, "data-stale", stale)
    setAttribute(this.status, "data-priced", priced)
    const words = `${this.strikes.length} of ${this.data.figures.count} strikes`
    const { live: feeds, why } = feedWord(this.data)
    const doubt = stale ? `, ${stale} of ${count} not current${!feeds && why ? `: ${why}` : ""}` : ""
    setText(
      this.status,
      silent
        ? `${words}. No word from the desk for ${ageText(silentSeconds(this))}: prices are not current.`
        : `${words}; newest price ${newestText(aged)}${doubt}. ${this.greekWords(stale > 0)} Hatched: in the money.`,
    )
    this.status.classList.toggle("warn", silent)
  }
}

export default function (component) {
  return viewOf(component, root => new OptionChain(root))
}
