// Positions or holdings: a table that is drawn only where it is looked at, so that thousands of rows cost no more than
// a screenful, with its sums over it. A figure in money travels as a line in the price, [at nothing, per rupee]: what
// the page shows between two words of the desk comes from the same two numbers as the desk's own.

const SUM_MS = 250 // between two countings of the sums; prices come more often
const AROUND = 12 // rows drawn above and below what is seen
const ALL_DRAWN = 60 // up to so many rows nothing is left out

class PositionTable {
  constructor(root) {
    for (const name of ["sums", "bar", "find", "chosen", "doings", "scroll", "empty", "status"]) {
      this[name] = root.querySelector(`.${name}`)
    }
    this.table = root.querySelector("table")
    this.head = root.querySelector("thead tr")
    this.body = root.querySelector("tbody")
    for (const old of [this.head, this.body, this.sums, this.doings]) old.replaceChildren()
    this.above = gapRow()
    this.below = gapRow()
    this.body.append(this.above, this.below)
    this.rows = new Map() // id -> row, as the desk told it, with the price that came since
    this.byKey = new Map() // instrument -> its rows
    this.drawn = new Map() // id -> { tr, cells, seen }
    this.order = []
    this.picked = new Set()
    this.focused = null
    this.layout = ""
    this.find.oninput = () => { this.arrange(); this.draw() }
    this.find.onkeydown = event => { if (event.key === "Escape") { this.find.value = ""; this.find.oninput() } }
    this.scroll.onscroll = () => this.draw()
    this.body.onkeydown = event => this.walk(event)
    this.size = new ResizeObserver(() => {
      this.scroll.classList.toggle("wide", this.scroll.scrollWidth > this.scroll.clientWidth)
      this.draw()
    })
    this.size.observe(this.scroll)
  }

  receive() {
    const { columns, rows, label, choosable } = this.data
    this.aged = columns.findIndex(column => column.kind === "age")
    setAttribute(this.table, "aria-label", label)
    setAttribute(this.bar, "aria-label", `${label}: find and act`)
    const layout = JSON.stringify([columns, choosable, this.data.actions])
    if (layout !== this.layout) {
      this.layout = layout
      this.drawHead()
      for (const view of this.drawn.values()) view.tr.remove()
      this.drawn.clear()
    }
    this.rows = new Map(rows.map(row => [row.i, row]))
    this.byKey = new Map()
    for (const row of rows) {
      row.at = this.arrived
      row.now = row.t + row.a * 1000
      row.d ??= 2
      row.acts = row.can ? row.can.split(" ") : []
      row.e = row.acts.length > 0
      this.byKey.set(row.k, [...(this.byKey.get(row.k) ?? []), row])
      const told = live.rows.get(row.k)
      if (this.data.push && told && told.values[FIELD.received_ms] >= (row.t ?? 0)) takeOver(row, told)
    }
    this.hasContracts = rows.some(row => contractPieces(row.s, row.k) !== null)
    for (const id of this.picked) if (!this.rows.get(id)?.e) this.picked.delete(id)
    const none = rows.length === 0
    this.empty.hidden = !none
    this.scroll.hidden = this.status.hidden = this.bar.hidden = this.sums.hidden = none
    this.find.hidden = rows.length < 8
    setText(this.empty, none ? this.data.empty ?? "" : "")
    for (const [id, view] of this.drawn) if (!this.rows.has(id)) { view.tr.remove(); this.drawn.delete(id) }
    // Rows stay where they are while somebody is in the table, unless some came or went.
    const ids = rows.map(row => row.i).sort().join(" ")
    if (ids !== this.ids || !this.table.contains(this.table.getRootNode().activeElement)) this.arrange()
    this.ids = ids
    if (this.data.push) live.show(this, this.data.push, this.moving(), [])
    this.draw()
    this.tick()
  }

  // The instruments whose price changes anything here, what is open first: the channel takes so many and no more.
  moving() {
    const open = [], shut = []
    for (const [key, rows] of this.byKey) (rows.some(row => !row.z) ? open : shut).push(key)
    return [...open, ...shut]
  }

  live(keys) {
    for (const key of keys) {
      const told = live.rows.get(key)
      for (const row of (told && this.byKey.get(key)) || []) {
        takeOver(row, told)
        const view = this.drawn.get(row.i)
        if (view) { this.patch(view, row); this.mark(view, row) }
      }
    }
    const feeds = feedWord(this.data).live
    if (feeds !== this.fed || performance.now() - this.ticked > SUM_MS) this.tick()
  }

  close() {
    this.size.disconnect()
    live.hide(this)
  }

  drawHead() {
    this.head.replaceChildren()
    if (this.data.choosable) {
      const th = make("th", "k-pick")
      this.all = make("input")
      this.all.type = "checkbox"
      this.all.title = "Choose all that are shown"
      setAttribute(this.all, "aria-label", this.all.title)
      this.all.onchange = () => this.pickAll(this.all.checked)
      th.append(this.all)
      this.head.append(th)
    }
    for (const column of this.data.columns) {
      const th = make("th", classOf(column))
      th.scope = "col"
      th.dataset.id = column.id
      const button = make("button", "", column.label)
      button.title = column.help
      button.append(make("span", "mark"))
      button.onclick = () => this.sortBy(column)
      th.append(button)
      this.head.append(th)
    }
    if (this.data.actions.length) {
      const th = make("th", "k-do p2")
      th.append(make("span", "sr", "Actions"))
      this.head.append(th)
    }
    this.markSort()
  }

  sortBy(column) {
    const first = ["symbol", "text"].includes(column.kind) ? "asc" : "desc"
    const second = first === "asc" ? "desc" : "asc"
    const { id } = column
    this.sort = this.sort?.id !== id ? { id, dir: first } : this.sort.dir === first ? { id, dir: second } : null
    this.markSort()
    this.arrange()
    this.draw()
  }

  markSort() {
    for (const th of this.head.children) {
      const dir = th.dataset.id && this.sort?.id === th.dataset.id ? this.sort.dir : null
      setAttribute(th, "aria-sort", dir === "asc" ? "ascending" : dir === "desc" ? "descending" : null)
      const mark = th.querySelector(".mark")
      if (mark) setText(mark, dir === "asc" ? " ↑" : dir === "desc" ? " ↓" : "")
    }
  }

  // Which rows, in which order. Never while prices come: a row must not move away under the pointer.
  arrange() {
    const words = this.find.hidden ? [] : this.find.value.toLowerCase().split(/\s+/).filter(Boolean)
    let rows = [...this.rows.values()]
    if (words.length) rows = rows.filter(row => words.every(word => `${row.s} ${row.n} ${row.g}`.toLowerCase().includes(word)))
    const at = this.data.columns.findIndex(column => column.id === this.sort?.id)
    if (at >= 0) {
      const sign = this.sort.dir === "asc" ? 1 : -1
      const column = this.data.columns[at]
      rows = rows
        .map((row, i) => ({ row, i, value: sortValue(column, row, at) }))
        .sort((a, b) => {
          if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.i - b.i
          const difference = typeof a.value === "string" ? a.value.localeCompare(b.value) : a.value - b.value
          return difference * sign || a.i - b.i
        })
        .map(item => item.row)
    }
    this.order = rows.map(row => row.i)
  }

  // Only what can be seen is in the page; two empty rows stand for the rest.
  draw() {
    if (!this.order || this.scroll.hidden) return
    const count = this.order.length
    let first = 0, last = count
    if (count > ALL_DRAWN) {
      const height = this.rowHeight()
      first = Math.max(0, Math.floor(this.scroll.scrollTop / height) - AROUND)
      last = Math.min(count, first + Math.ceil((this.scroll.clientHeight || 600) / height) + 2 * AROUND)
      first = Math.max(0, Math.min(first, last - 1))
      setHeight(this.above, first * height)
      setHeight(this.below, (count - last) * height)
    } else {
      setHeight(this.above, 0)
      setHeight(this.below, 0)
    }
    const wanted = this.order.slice(first, last)
    const keep = new Set(wanted)
    const focused = this.focused
    const had = focused !== null && this.drawn.get(focused)?.tr === this.table.getRootNode().activeElement
    for (const [id, view] of this.drawn) if (!keep.has(id)) { view.tr.remove(); this.drawn.delete(id) }
    let before = this.above
    const silent = isSilent(this)
    // All rows have one height where some are left out: what is above and below is reckoned with it.
    this.scroll.classList.toggle("contracts", count > ALL_DRAWN && this.hasContracts)
    for (const id of wanted) {
      const row = this.rows.get(id)
      let view = this.drawn.get(id)
      if (!view) { view = this.build(row); this.drawn.set(id, view) }
      this.patch(view, row)
      this.mark(view, row, silent)
      if (before.nextSibling !== view.tr) before.after(view.tr)
      before = view.tr
    }
    setAttribute(this.table, "aria-rowcount", count + 1)
    wanted.forEach((id, i) => setAttribute(this.drawn.get(id).tr, "aria-rowindex", first + i + 2))
    if (had) this.drawn.get(focused)?.tr.focus({ preventScroll: true })
    this.markPicked()
  }

  rowHeight() {
    const one = this.drawn.values().next().value?.tr.offsetHeight
    if (one) this.height = one
    return this.height || 36
  }

  build(row) {
    const tr = make("tr")
    tr.dataset.id = row.i
    tr.dataset.key = row.k
    const view = { tr, cells: [], seen: [] }
    if (this.data.choosable) {
      const cell = make("td", "k-pick")
      view.box = make("input")
      view.box.type = "checkbox"
      view.box.tabIndex = -1
      view.box.onchange = () => this.pick(row.i, view.box.checked)
      setAttribute(view.box, "aria-label", `Choose ${row.s}`)
      cell.append(view.box)
      tr.append(cell)
    }
    for (const column of this.data.columns) {
      const cell = make(column.kind === "symbol" ? "th" : "td", classOf(column))
      if (column.kind === "symbol") cell.scope = "row"
      view.cells.push(cell)
      tr.append(cell)
    }
    if (this.data.actions.length) {
      const cell = make("td", "k-do p2")
      view.doing = {}
      for (const action of this.data.actions) {
        const button = make("button", "", action.label)
        button.tabIndex = -1
        setAttribute(button, "aria-label", `${action.label} ${row.s}`)
        button.onclick = () => this.ask(action.id, [row.i])
        view.doing[action.id] = button
        cell.append(button)
      }
      tr.append(cell)
    }
    tr.onfocus = () => { this.focused = row.i }
    tr.onclick = event => {
      if (event.target.closest("button, input")) return
      this.focused = row.i
      if (this.data.choosable) this.pick(row.i, !this.picked.has(row.i))
    }
    return view
  }

  patch(view, row) {
    this.data.columns.forEach((column, i) => {
      const value = valueOf(column, row, i)
      const seen = typeof value === "object" && value !== null ? JSON.stringify(value) : value
      if (view.seen[i] === seen || column.kind === "age") return
      view.seen[i] = seen
      DRAW[column.kind](view.cells[i], value, row, column, row.v[i])
    })
    if (view.box) view.box.disabled = !row.e
    for (const [id, button] of Object.entries(view.doing ?? {})) button.hidden = !row.acts.includes(id)
    view.tr.classList.toggle("closed", Boolean(row.z))
  }

  // Show how old a row's price is, and whether that is too old.
  mark(view, row, silent = isSilent(this)) {
    const { age, old } = this.aging(row, silent)
    view.tr.classList.toggle("stale", old)
    if (this.aged >= 0) setText(view.cells[this.aged], priceAge(row, age, old))
  }

  aging(row, silent) {
    const age = row.a === null ? null : row.a + secondsSince(row.at, this.data)
    if (age === null) return { age, old: false }
    return { age, old: silent || Boolean(isOld({ feed: row.feed, troubled: row.o, moves: row.m, age }, this.data)) }
  }

  pick(id, on) {
    if (!this.rows.get(id)?.e) return
    if (on) this.picked.add(id)
    else this.picked.delete(id)
    this.markPicked()
  }

  pickAll(on) {
    for (const id of this.order) if (this.rows.get(id).e) on ? this.picked.add(id) : this.picked.delete(id)
    this.markPicked()
  }

  markPicked() {
    const home = this.drawn.has(this.focused) ? this.focused : this.drawn.keys().next().value
    for (const [id, view] of this.drawn) {
      const chosen = this.picked.has(id)
      if (this.data.choosable) setAttribute(view.tr, "aria-selected", chosen)
      if (view.box) view.box.checked = chosen
      view.tr.tabIndex = id === home ? 0 : -1
      for (const button of Object.values(view.doing ?? {})) button.tabIndex = id === home ? 0 : -1
    }
    if (this.all) {
      const may = this.order.filter(id => this.rows.get(id)?.e)
      this.all.disabled = may.length === 0
      this.all.checked = may.length > 0 && may.every(id => this.picked.has(id))
      this.all.indeterminate = !this.all.checked && this.picked.size > 0
    }
    const count = this.picked.size
    setText(this.chosen, count ? `${count} chosen` : "")
    this.drawDoings(count)
  }

  drawDoings(count) {
    const offers = this.data.offers ?? []
    if (this.offered !== JSON.stringify(offers)) {
      this.offered = JSON.stringify(offers)
      this.doings.replaceChildren(
        ...offers.map(offer => {
          const button = make("button", "", offer.label)
          button.dataset.id = offer.id
          button.title = offer.help
          button.onclick = () => this.ask(offer.id, offer.of === "all" ? [] : this.inOrder())
          return button
        }),
      )
    }
    for (const [i, offer] of offers.entries()) {
      const button = this.doings.children[i]
      const few = [...this.picked].every(id => this.rows.get(id)?.acts.includes(offer.id))
      button.disabled = offer.of === "all" ? !offer.on : offer.of === "one" ? !(count === 1 && few) : !(count > 0 && few)
      setText(button, offer.of === "some" && count > 1 ? `${offer.label} (${count})` : offer.label)
    }
  }

  inOrder() { return [...this.rows.keys()].filter(id => this.picked.has(id)) }

  ask(what, ids) {
    this.component.setTriggerValue("asked", { do: what, ids })
  }

  // Arrows walk, space chooses, Enter opens the instrument. What costs money begins with a button.
  walk(event) {
    const tr = event.target.closest("tr")
    if (!tr || event.target !== tr) return
    const at = this.order.indexOf(tr.dataset.id)
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key]
    if (step) {
      event.preventDefault()
      this.go(Math.min(this.order.length - 1, Math.max(0, at + step)))
    } else if (event.key === " ") {
      event.preventDefault()
      if (this.data.choosable) this.pick(tr.dataset.id, !this.picked.has(tr.dataset.id))
    } else if (event.key === "Enter") {
      event.preventDefault()
      tr.querySelector("button.sym")?.click()
    }
  }

  go(at) {
    const id = this.order[at]
    const height = this.rowHeight()
    const head = this.head.offsetHeight
    if (this.order.length > ALL_DRAWN) {
      const top = at * height
      if (top < this.scroll.scrollTop) this.scroll.scrollTop = top
      else if (top + height > this.scroll.scrollTop + this.scroll.clientHeight - head) {
        this.scroll.scrollTop = top + height + head - this.scroll.clientHeight
      }
    }
    this.focused = id
    this.draw()
    this.drawn.get(id)?.tr.focus()
  }

  tick() {
    const silent = isSilent(this)
    this.ticked = performance.now()
    this.fed = feedWord(this.data).live
    const { columns } = this.data
    const summed = columns.map((column, i) => [column, i]).filter(([column]) => column.sum)
    const sums = summed.map(() => 0)
    const lacking = summed.map(() => 0)
    const aged = []
    let stale = 0, open = 0
    for (const row of this.rows.values()) {
      summed.forEach(([column, i], n) => {
        const value = valueOf(column, row, i)
        if (value === null || value === undefined) lacking[n] += 1
        else sums[n] += value
      })
      if (row.z) continue
      open += 1
      const { age, old } = this.aging(row, silent)
      if (old) stale += 1
      aged.push({ row, age })
    }
    for (const [id, view] of this.drawn) this.mark(view, this.rows.get(id), silent)
    this.drawSums(summed, sums, lacking, stale > 0 && stale === open)
    this.tell(open, stale, newestText(aged), silent)
  }

  drawSums(summed, sums, lacking, old) {
    const many = this.rows.size
    if (this.sums.children.length !== summed.length) {
      this.sums.replaceChildren(
        ...summed.map(([column]) => {
          const box = make("div", `${column.lead ? "lead" : ""}${column.sum_rank > 1 ? " p2" : ""}`)
          const name = make("dt", "", column.sum)
          name.title = column.help
          box.append(name, make("dd"))
          return box
        }),
      )
    }
    summed.forEach(([column, i], n) => {
      const cell = this.sums.children[n].lastChild
      const known = lacking[n] < many
      const value = known ? sums[n] : null
      drawMoney(cell, value, column.kind === "gap" ? "quiet" : column.tone, rupeeText)
      const whole = summed.findIndex(([other]) => other.id === column.of)
      if (known && whole >= 0 && sums[whole] > 0) {
        cell.append(make("small", "", ` ${digits((value / sums[whole]) * 100, 2, true)}%`))
      }
      if (lacking[n] && known) cell.append(make("small", "odd", ` without ${lacking[n]} of ${many}`))
      if (column.kind === "gap" && known) {
        const [odd, why] = gapSumWords([...this.rows.values()].map(row => row.v[i]).filter(Boolean), value)
        if (why) cell.append(make("small", `why ${odd ? "odd" : "muted"}`, why))
      }
      cell.dataset.value = known ? sums[n].toFixed(2) : ""
    })
    this.sums.classList.toggle("old", old)
  }

  tell(open, stale, newest, silent) {
    setAttribute(this.status, "data-rows", this.rows.size)
    setAttribute(this.status, "data-stale", stale)
    const shown = this.order.length < this.rows.size ? `${this.order.length} of ` : ""
    const words = `${shown}${this.rows.size} ${this.data.noun}${this.rows.size === 1 ? "" : "s"}`
    const { live: feeds, why } = feedWord(this.data)
    const doubt = stale ? `, ${stale} not current${!feeds && why ? `: ${why}` : ""}` : ""
    const price = open ? `, newest price ${newest}` : ""
    setText(
      this.status,
      silent
        ? `${words}. No word from the desk for ${ageText(silentSeconds(this))}: prices are not current.`
        : `${words}${price}${doubt}.`,
    )
    this.status.classList.toggle("warn", silent)
  }
}

function gapRow() {
  const tr = make("tr", "gap")
  setAttribute(tr, "aria-hidden", "true")
  tr.append(make("td"))
  tr.hidden = true
  return tr
}

function setHeight(tr, height) {
  tr.hidden = height <= 0
  tr.firstChild.colSpan = 100
  tr.firstChild.style.height = `${height}px`
}

function takeOver(row, { values, at, now }) {
  row.l = values[FIELD.ltp]
  row.a = (now - values[FIELD.received_ms]) / 1000
  row.at = at
  row.now = now
  row.p = values[FIELD.last_trade_ms]
  row.feed = values[FIELD.from_feed]
  if (values[FIELD.received_ms] > (row.t ?? 0)) row.o = false // newer than the trouble that the page knows of
}

export default function (component) {
  return viewOf(component, root => new PositionTable(root))
}
