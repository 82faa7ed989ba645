// The orders that are looked at: a row each, patched in place; last prices by the push channel. Arrow keys walk the
// rows, Enter opens one; what can be done to an order stands at its end as buttons.

const DEEDS = { modify: "Modify", cancel: "Cancel", repeat: "Repeat" }

class OrderTable {
  constructor(root) {
    this.table = root.querySelector("table")
    this.scroll = root.querySelector(".scroll")
    this.body = root.querySelector("tbody")
    this.empty = root.querySelector(".empty")
    this.body.replaceChildren() // an earlier view on the same root may have left its rows
    this.rows = new Map()
    this.body.onkeydown = event => this.walk(event)
  }

  receive() {
    const { rows, label, empty, push } = this.data
    setAttribute(this.table, "aria-label", label)
    this.table.classList.toggle("old", Boolean(this.data.old))
    const present = new Set(rows.map(row => row.id))
    for (const [id, view] of this.rows) {
      if (!present.has(id)) { view.tr.remove(); this.rows.delete(id) }
    }
    let after = null
    for (const row of rows) {
      const view = this.patch(row)
      const place = after ? after.nextSibling : this.body.firstChild
      if (place !== view.tr) this.body.insertBefore(view.tr, place)
      after = view.tr
    }
    this.empty.hidden = rows.length > 0
    this.scroll.hidden = rows.length === 0
    setText(this.empty, empty ?? "")
    const keys = [...new Set(rows.filter(row => row.alive).map(row => row.k))]
    if (push) live.show(this, push, keys, [])
    this.live(new Set(keys))
    this.roam()
  }

  live(changed) {
    for (const { row, cells } of this.rows.values()) {
      if (!row.alive || !changed.has(row.k)) continue
      const told = live.rows.get(row.k)
      this.price(cells.ltp, row, told)
    }
  }

  close() { live.hide(this) }

  // The last price, and how far away the limit is from it.
  // Grey and said to be old until a later price has come than the desk knew.
  price(cell, row, told) {
    if (!row.alive) { cell.replaceChildren(); return }
    if (!cell.firstChild) cell.append(make("div"), make("div", "sub"))
    const [price, away] = cell.children
    const ltp = told ? told.values[FIELD.ltp] : row.ltp
    const old = Boolean(row.old) && !(told && told.values[FIELD.received_ms] > row.old)
    cell.classList.toggle("muted", old)
    setText(price, digits(ltp, row.d))
    const distance = row.limit && ltp ? ((row.limit - ltp) / ltp) * 100 : null
    const words = distance === null ? [] : [`${digits(distance, 2, true)}% away`]
    setText(away, [...words, ...(old ? ["not current"] : [])].join(", "))
  }

  patch(row) {
    let view = this.rows.get(row.id)
    if (!view) { view = this.build(row.id); this.rows.set(row.id, view) }
    const text = JSON.stringify(row)
    if (view.text === text) return view
    view.text = text
    view.row = row
    const { cells } = view
    setText(cells.time, row.time)
    nameChip(cells.sym, row.s, row.k)
    setText(cells.tag, row.g)
    setText(cells.side, row.side)
    cells.side.dataset.side = row.side
    setText(cells.count, row.f > 0 && row.f < row.q ? `${digits(row.f, 0)} of ${digits(row.q, 0)}` : digits(row.q, 0))
    cells.rail.hidden = !(row.f > 0 && row.f < row.q)
    cells.rail.firstChild.style.width = `${row.q ? (row.f / row.q) * 100 : 0}%`
    setText(cells.type, [row.type, row.validity].filter(Boolean).join(" "))
    setText(cells.product, [row.product, row.amo ? "after-market" : ""].filter(Boolean).join(", "))
    setText(cells.limit, row.price)
    setText(cells.trigger, row.trigger ? `trigger ${row.trigger}` : "")
    setText(cells.average, row.average)
    cells.average.dataset.known = row.f > 0 ? "yes" : "no"
    setText(cells.state, row.status)
    cells.state.dataset.tone = row.tone
    cells.state.title = `The broker's word: ${row.told}`
    setText(cells.reason, row.reason)
    cells.reason.hidden = !row.reason
    for (const deed of ["modify", "cancel"]) cells[deed].hidden = !row.can
    const who = `${row.side} ${row.q} ${row.s}, order ${row.id}`
    for (const deed of Object.keys(DEEDS)) cells[deed].setAttribute("aria-label", `${DEEDS[deed]}: ${who}`)
    setAttribute(view.tr, "aria-label", `${row.side} ${row.q} ${row.s}, ${row.status}`)
    this.price(cells.ltp, row, this.data.push ? live.rows.get(row.k) : undefined)
    return view
  }

  build(id) {
    const tr = make("tr")
    tr.dataset.id = id
    tr.onclick = () => this.press("look", id)
    const cells = {}
    const cell = (className, tag = "td") => { const node = make(tag, className); tr.append(node); return node }
    cells.time = cell("time sub")
    const who = cell("who", "th")
    who.scope = "row"
    cells.sym = symbolChip("sym", "", "")
    cells.tag = make("span", "tag")
    who.append(cells.sym, cells.tag)
    const sides = cell("sides")
    cells.side = make("span", "side")
    sides.append(cells.side)
    const quantity = cell("quantity num")
    cells.count = make("div")
    cells.rail = make("div", "rail")
    cells.rail.append(make("i"))
    quantity.append(cells.count, cells.rail)
    const kind = cell("kind")
    cells.type = make("div")
    cells.product = make("div", "sub")
    kind.append(cells.type, cells.product)
    const price = cell("price num")
    cells.limit = make("div")
    cells.trigger = make("div", "sub")
    price.append(cells.limit, cells.trigger)
    cells.average = cell("average num")
    cells.ltp = cell("ltp num")
    const states = cell("states")
    cells.state = make("span", "state")
    cells.reason = make("div", "reason")
    states.append(cells.state, cells.reason)
    const deeds = make("div", "deeds")
    for (const [deed, label] of Object.entries(DEEDS)) {
      const button = (cells[deed] = make("button", deed, label))
      button.type = "button"
      button.onclick = event => { event.stopPropagation(); this.press(deed, id) }
      deeds.append(button)
    }
    cell("do").append(deeds)
    return { tr, cells, row: null, text: "" }
  }

  press(deed, id) {
    this.component.setTriggerValue("pressed", { do: deed, id })
  }

  // One row can be reached by Tab; arrows lead to the others.
  roam() {
    const all = [...this.body.children]
    const focused = all.find(tr => tr.tabIndex === 0)
    for (const tr of all) tr.tabIndex = -1
    const home = focused ?? all[0]
    if (home) home.tabIndex = 0
  }

  walk(event) {
    const tr = event.target.closest("tr")
    if (!tr || event.target !== tr) return
    const all = [...this.body.children]
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(tr) + step))]
      for (const one of all) one.tabIndex = one === next ? 0 : -1
      next.focus()
    } else if (event.key === "Enter") {
      event.preventDefault()
      this.press("look", tr.dataset.id)
    }
  }
}

export default function (component) {
  return viewOf(component, root => new OrderTable(root))
}
