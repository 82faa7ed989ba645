// The live table: patches cells in place, sorts by value, keeps the chosen row by its key, goes on counting ages.

const COUNT_MS = 250 // between two counts of what is current; prices come more often
const FLASH_MS = 600
const CELL_PADDING = 5 // pixels beside a figure, the least of the style sheet

class QuoteTable {
  constructor(root) {
    this.scroll = root.querySelector(".scroll")
    this.table = root.querySelector("table")
    this.head = root.querySelector("thead tr")
    this.body = root.querySelector("tbody")
    this.fade = root.querySelector(".fade")
    this.empty = root.querySelector(".empty")
    this.status = root.querySelector(".status")
    this.head.replaceChildren() // an earlier view on the same root may have left its rows
    this.body.replaceChildren()
    this.rows = new Map()
    this.order = []
    this.layout = ""
    this.hovering = false
    // Rows must not move away under the pointer: while it is over the table the order stays.
    this.scroll.onpointerenter = event => { this.hovering = event.pointerType === "mouse" }
    this.scroll.onpointerleave = () => { this.hovering = false; this.arrange() }
    this.body.onkeydown = event => this.walk(event)
    // Only a table that is wider than its place holds its symbols fast: each such cell is a layer of its own.
    this.width = new ResizeObserver(() => {
      this.scroll.classList.toggle("wide", this.scroll.scrollWidth > this.scroll.clientWidth)
      this.tellMore()
    })
    this.width.observe(this.scroll)
    this.width.observe(this.table)
    this.scroll.addEventListener("scroll", () => this.tellMore(), { passive: true })
  }

  // The column that is cut fades from its left side on; those that are whole, and the scroll bar, stay as they are.
  tellMore() {
    const { scrollLeft, clientWidth, clientLeft, offsetWidth } = this.scroll
    const edge = scrollLeft + clientWidth
    const cut = [...this.head.children].find(cell => cell.offsetLeft + cell.offsetWidth > edge + CELL_PADDING)
    this.fade.hidden = !cut
    if (!cut) return
    this.fade.style.width = `${Math.max(CELL_PADDING, edge - cut.offsetLeft)}px`
    this.fade.style.right = `${offsetWidth - clientWidth - clientLeft}px`
  }

  receive() {
    const { columns, rows, sort, label } = this.data
    this.aged = columns.findIndex(column => column.kind === "age")
    setAttribute(this.table, "aria-label", label)
    const layout = JSON.stringify([columns, this.data.removable, this.data.movable, this.data.tradable, this.data.alertable])
    if (layout !== this.layout) {
      this.layout = layout
      this.drawHead(columns)
      this.body.replaceChildren()
      this.rows.clear()
      this.order = []
    }
    // What the server says of the order counts when it changes; between two messages the click here counts.
    const asked = JSON.stringify(sort ?? null)
    if (asked !== this.asked) { this.asked = asked; this.sort = sort ?? null; this.markSort() }
    const present = new Set()
    for (const row of rows) {
      present.add(row.k)
      row.at = this.arrived
      row.now = row.t + row.a * 1000
      const told = live.rows.get(row.k)
      if (this.data.push && told && told.values[FIELD.received_ms] >= (row.t ?? 0)) this.takeOver(row, told)
      this.patch(row)
    }
    for (const [key, view] of this.rows) {
      if (!present.has(key)) { view.tr.remove(); this.rows.delete(key) }
    }
    const came = rows.map(row => row.k)
    const sameRows = came.length === this.order.length && this.order.every(key => present.has(key))
    this.came = came
    if (!(this.hovering && sameRows)) this.arrange()
    if (this.data.push) live.show(this, this.data.push, came, [])
    this.empty.hidden = rows.length > 0
    this.scroll.hidden = this.status.hidden = rows.length === 0
    setText(this.empty, this.data.empty ?? "")
    this.tick()
  }

  // What the push channel told of some instruments.
  live(keys) {
    let moved = false
    for (const key of keys) {
      const view = this.rows.get(key)
      const told = live.rows.get(key)
      if (!view || !told) continue
      this.takeOver(view.row, told)
      this.patch(view.row)
      this.mark(view)
      moved = true
    }
    if (moved && this.sort && !this.hovering) this.arrange()
    const feeds = feedWord(this.data).live
    if (feeds !== this.fed || performance.now() - this.ticked > COUNT_MS) this.tick()
  }

  takeOver(row, { values, at, now }) {
    row.v = this.data.columns.map((column, i) => {
      if (column.f.length === 0) return row.v[i]
      const shown = column.f.map(place => values[place])
      if (shown.length === 1) return shown[0]
      return shown.includes(null) ? null : shown
    })
    row.a = (now - values[FIELD.received_ms]) / 1000
    row.at = at
    row.now = now
    row.p = values[FIELD.last_trade_ms]
    row.feed = values[FIELD.from_feed]
    if (values[FIELD.received_ms] > (row.t ?? 0)) row.o = false // newer than the trouble that the page knows of
  }

  close() {
    this.width.disconnect()
    live.hide(this)
  }

  drawHead(columns) {
    this.head.replaceChildren()
    for (const column of columns) {
      const th = make("th", `k-${column.kind}`)
      th.scope = "col"
      th.dataset.id = column.id
      const button = make("button", "", column.label)
      button.title = `${column.help}${this.data.movable ? ". Drag or Alt+arrow moves the column" : ""}`
      button.append(make("span", "mark"))
      button.onclick = () => this.sortBy(column.id)
      if (this.data.movable && column.id !== "symbol") this.makeMovable(th, button)
      th.append(button)
      this.head.append(th)
    }
    if (this.data.tradable || this.data.alertable) {
      const th = make("th", "k-trade")
      th.append(make("span", "sr", "Trade"))
      this.head.append(th)
    }
    if (this.data.removable) {
      const th = make("th", "k-remove")
      th.append(make("span", "sr", "Remove"))
      this.head.append(th)
    }
    this.markSort()
  }

  makeMovable(th, button) {
    th.draggable = true
    th.ondragstart = event => { event.dataTransfer.setData("text/x-column", th.dataset.id); this.dragged = th.dataset.id }
    th.ondragover = event => { if (this.dragged) { event.preventDefault(); th.classList.add("over") } }
    th.ondragleave = () => th.classList.remove("over")
    th.ondragend = () => { this.dragged = null }
    th.ondrop = event => {
      event.preventDefault()
      th.classList.remove("over")
      if (this.dragged) this.moveColumn(this.dragged, th.dataset.id)
      this.dragged = null
    }
    button.onkeydown = event => {
      if (!event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return
      event.preventDefault()
      const ids = this.data.columns.map(column => column.id)
      const target = ids[ids.indexOf(th.dataset.id) + (event.key === "ArrowRight" ? 1 : -1)]
      if (target && target !== "symbol") this.moveColumn(th.dataset.id, target)
    }
  }

  moveColumn(id, target) {
    const ids = this.data.columns.map(column => column.id)
    const to = ids.indexOf(target)
    if (id === target || to < 1) return
    ids.splice(ids.indexOf(id), 1)
    ids.splice(to, 0, id)
    this.component.setTriggerValue("ordered", ids)
  }

  sortBy(id) {
    const now = this.sort
    const first = id === "symbol" ? "asc" : "desc"
    const second = first === "asc" ? "desc" : "asc"
    this.sort = now?.id !== id ? { id, dir: first } : now.dir === first ? { id, dir: second } : null
    this.asked = JSON.stringify(this.sort)
    this.markSort()
    this.arrange()
    this.component.setTriggerValue("sorted", this.sort ?? { id: "", dir: "" })
  }

  markSort() {
    for (const th of this.head.children) {
      const dir = th.dataset.id && this.sort?.id === th.dataset.id ? this.sort.dir : null
      setAttribute(th, "aria-sort", dir === "asc" ? "ascending" : dir === "desc" ? "descending" : null)
      const mark = th.querySelector(".mark")
      if (mark) setText(mark, dir === "asc" ? " ↑" : dir === "desc" ? " ↓" : "")
    }
  }

  patch(row) {
    let view = this.rows.get(row.k)
    if (!view) {
      view = { tr: make("tr"), cells: [], seen: [] }
      view.tr.dataset.key = row.k
      view.tr.tabIndex = -1
      view.tr.onclick = () => this.pick(row.k)
      for (const column of this.data.columns) {
        const cell = make(column.kind === "symbol" ? "th" : "td", `k-${column.kind}`)
        if (column.kind === "symbol") cell.scope = "row"
        view.cells.push(cell)
        view.tr.append(cell)
      }
      if (this.data.tradable || this.data.alertable) view.tr.append(this.tradeCell(row))
      if (this.data.removable) view.tr.append(this.removeCell(row))
      this.rows.set(row.k, view)
      this.body.append(view.tr)
    }
    view.row = row
    this.data.columns.forEach((column, i) => {
      const value = column.kind === "symbol" ? [row.s, row.n, row.g, row.x] : column.kind === "spark" ? pathOf(row, i) : row.v[i]
      const seen = typeof value === "object" && value !== null ? JSON.stringify(value) : value
      if (view.seen[i] === seen && column.kind !== "age") return
      const before = view.seen[i]
      view.seen[i] = seen
      PAINT[column.kind](view.cells[i], value, row)
      if (column.kind === "ltp" && typeof before === "number" && typeof value === "number") {
        this.flash(view.cells[i], value > before ? "rise" : "fall")
      }
    })
  }

  // On for a moment, then off. An animation would have the browser style and paint the table sixty times a second, all
  // day long, and beginning it anew a look at the layout for every cell.
  flash(cell, name) {
    cell.classList.remove(name === "rise" ? "fall" : "rise")
    cell.classList.add(name)
    clearTimeout(cell.calming)
    cell.calming = setTimeout(() => cell.classList.remove(name), FLASH_MS)
  }

  // To the order ticket, where nothing is sent by going there, and to the dialog of a price alert.
  tradeCell(row) {
    const cell = make("td", "k-trade")
    for (const [side, letter] of row.i || !this.data.tradable ? [] : [["Buy", "B"], ["Sell", "S"]]) {
      const button = make("button", side.toLowerCase(), letter)
      button.title = `${side} ${row.s}: to the order ticket`
      button.setAttribute("aria-label", button.title)
      button.onclick = event => {
        event.stopPropagation()
        this.component.setTriggerValue("traded", { k: row.k, side: side.toUpperCase() })
      }
      cell.append(button)
    }
    if (this.data.alertable) {
      const button = make("button", "alert", "A")
      button.title = `Price alert on ${row.s}`
      button.setAttribute("aria-label", button.title)
      button.onclick = event => { event.stopPropagation(); this.component.setTriggerValue("alerted", row.k) }
      cell.append(button)
    }
    return cell
  }

  removeCell(row) {
    const cell = make("td", "k-remove")
    const button = make("button", "", "×")
    button.title = `Remove ${row.s} from this watchlist`
    button.setAttribute("aria-label", button.title)
    button.onclick = event => { event.stopPropagation(); this.component.setTriggerValue("removed", row.k) }
    cell.append(button)
    return cell
  }

  arrange() {
    if (!this.came) return
    const order = this.sort ? this.sorted() : this.came
    if (order.length === this.order.length && order.every((key, i) => key === this.order[i])) return
    const focused = this.body.querySelector("tr:focus")
    for (const key of order) this.body.append(this.rows.get(key).tr)
    this.order = order
    focused?.focus()
  }

  sorted() {
    const at = this.data.columns.findIndex(column => column.id === this.sort.id)
    if (at < 0) return this.came
    const sign = this.sort.dir === "asc" ? 1 : -1
    const kind = this.data.columns[at].kind
    const valueOf = key => SORT_VALUE(kind, this.rows.get(key).row, at)
    return this.came
      .map((key, i) => ({ key, i, value: valueOf(key) }))
      .sort((a, b) => {
        if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.i - b.i
        const difference = typeof a.value === "string" ? a.value.localeCompare(b.value) : a.value - b.value
        return difference * sign || a.i - b.i
      })
      .map(item => item.key)
  }

  pick(key) {
    if (!this.data.pickable) return
    this.data.picked = key
    this.markPicked()
    this.component.setStateValue("picked", key)
  }

  markPicked() {
    const keys = this.order
    const home = keys.includes(this.data.picked) ? this.data.picked : keys[0]
    for (const [key, view] of this.rows) {
      if (this.data.pickable) setAttribute(view.tr, "aria-selected", key === this.data.picked)
      view.tr.tabIndex = this.data.pickable && key === home ? 0 : -1
    }
  }

  walk(event) {
    const tr = event.target.closest("tr")
    if (!tr || event.target !== tr) return
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key]
    if (step && event.altKey) {
      event.preventDefault()
      this.shift(tr.dataset.key, Math.sign(step))
    } else if (step) {
      event.preventDefault()
      const all = [...this.body.children]
      all[Math.min(all.length - 1, Math.max(0, all.indexOf(tr) + step))].focus()
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      this.pick(tr.dataset.key)
    } else if (event.key === "Delete" && this.data.removable) {
      this.component.setTriggerValue("removed", tr.dataset.key)
    }
  }

  // Moves a row within the list's own order; a sorted table has no own order to change.
  shift(key, step) {
    if (!this.data.movable || this.sort) return
    const keys = [...this.came]
    const from = keys.indexOf(key)
    const to = from + step
    if (to < 0 || to >= keys.length) return
    keys.splice(from, 1)
    keys.splice(to, 0, key)
    this.came = keys
    this.arrange()
    this.component.setTriggerValue("shifted", keys)
  }

  // Show how old a row is, and whether that is too old.
  mark({ tr, cells, row }, silent = isSilent(this)) {
    const age = row.a === null ? null : row.a + secondsSince(row.at, this.data)
    const old = age !== null && (silent || isOld({ feed: row.feed, troubled: row.o, moves: row.m, age }, this.data))
    tr.classList.toggle("stale", old)
    if (this.aged >= 0) setText(cells[this.aged], priceAge(row, age, old))
    return { age, old }
  }

  tick() {
    const silent = isSilent(this)
    this.ticked = performance.now()
    this.fed = feedWord(this.data).live
    const aged = []
    let stale = 0
    let priced = 0
    for (const view of this.rows.values()) {
      const { age, old } = this.mark(view, silent)
      if (old) stale += 1
      if (age !== null) priced += 1
      aged.push({ row: view.row, age })
    }
    this.markPicked()
    const count = this.rows.size
    setAttribute(this.status, "data-rows", count)
    setAttribute(this.status, "data-stale", stale)
    setAttribute(this.status, "data-priced", priced)
    const words = `${count} instrument${count === 1 ? "" : "s"}`
    const { live: feeds, why } = feedWord(this.data)
    const doubt = stale ? `, ${stale} not current${!feeds && why ? `: ${why}` : ""}` : ""
    setText(
      this.status,
      silent
        ? `${words}. No word from the desk for ${ageText(silentSeconds(this))}: prices are not current.`
        : `${words}, newest price ${newestText(aged)}${doubt}.`,
    )
    this.status.classList.toggle("warn", silent)
    this.scroll.classList.toggle("short", Boolean(this.data.quiet))
    this.status.classList.toggle("sr", Boolean(this.data.quiet) && !silent)
  }
}

function paintChange(cell, value, text) {
  cell.classList.remove("up", "down", "flat")
  cell.classList.add(direction(value ?? 0))
  const mark = arrowOf(value)
  setText(cell, mark && mark !== "=" ? `${mark} ${text}` : text)
}

const PAINT = {
  symbol(cell, [symbol, name, tag, problem]) {
    cell.replaceChildren()
    const top = make("div", "top")
    top.append(make("span", "sym", symbol))
    if (tag) top.append(make("span", "tag", tag))
    cell.append(top)
    if (problem || name) cell.append(make("div", problem ? "name problem" : "name muted", problem || name))
    cell.title = problem ? `${symbol}: ${problem}` : `${symbol} · ${name}`
  },
  ltp(cell, value, row) { setText(cell, digits(value, row.d)) },
  price(cell, value, row) { setText(cell, digits(value, row.d)) },
  change(cell, value, row) { paintChange(cell, value, digits(value, row.d, true)) },
  percent(cell, value) {
    paintChange(cell, value, value === null ? MISSING : `${digits(value, 2, true)}%`)
  },
  quantity(cell, value) {
    setText(cell, shortNumber(value))
    cell.title = value === null ? "not available" : digits(value, 0)
  },
  text(cell, value) { setText(cell, value ?? MISSING) },
  time(cell, value) { setText(cell, value === null || value === undefined ? MISSING : indianTime(value)) },
  age() {},
  spark(cell, value) {
    const known = typeof value === "object"
    cell.classList.toggle("none", !known)
    if (!known) {
      setText(cell, value)
      cell.title = value === MISSING ? "no path of the day" : "no path of the day yet: it is being read, or too little has traded"
      return
    }
    let svg = cell.querySelector("svg")
    if (!svg) { svg = document.createElementNS(SVG, "svg"); svg.setAttribute("class", "spark"); cell.replaceChildren(svg) }
    svg.setAttribute("role", "img")
    cell.title = ""
    svg.setAttribute("aria-label", `path of the day, ${value.dir > 0 ? "up" : value.dir < 0 ? "down" : "level"}`)
    drawSpark(svg, value.p, value.b, direction(value.dir))
  },
  range(cell, value, row) {
    cell.replaceChildren()
    if (!value) { setText(cell, MISSING); return }
    const [low, high, at] = value
    const bar = make("div", "rail")
    const knob = make("i")
    const place = high > low ? Math.min(1, Math.max(0, (at - low) / (high - low))) : 0.5
    knob.style.left = `${(place * 100).toFixed(1)}%`
    bar.append(knob)
    const ends = make("div", "ends muted")
    ends.append(make("span", "", digits(low, row.d)), make("span", "", digits(high, row.d)))
    cell.append(bar, ends)
    cell.title = `${digits(low, row.d)} to ${digits(high, row.d)}, now at ${Math.round(place * 100)} %`
  },
}

// The path of the day; in a word where there is none: one of a market that moves may still come.
function pathOf(row, i) {
  return row.v[i] ?? (row.m && !row.o ? "…" : MISSING)
}

function SORT_VALUE(kind, row, at) {
  if (kind === "symbol") return row.s
  if (kind === "age") return ageOrder(row)
  const value = row.v[at]
  if (value === null || value === undefined) return null
  if (kind === "spark") return value.dir
  if (kind === "range") return value[1] > value[0] ? (value[2] - value[0]) / (value[1] - value[0]) : 0
  return value
}

export default function (component) {
  return viewOf(component, root => new QuoteTable(root))
}
