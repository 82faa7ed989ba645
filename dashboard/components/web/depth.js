// Five levels of depth: bids to the left, asks to the right, bars as wide as the quantity, totals and their balance.

class Depth {
  constructor(root) {
    this.table = root.querySelector("table")
    this.body = root.querySelector("tbody")
    this.buy = root.querySelector(".buy")
    this.sell = root.querySelector(".sell")
    this.balance = root.querySelector(".balance")
    this.bought = root.querySelector(".bought")
    this.sold = root.querySelector(".sold")
    this.spread = root.querySelector(".spread")
    this.note = root.querySelector(".note")
    this.root = root.querySelector(".root")
    this.ltp = root.querySelector(".ltp")
    this.change = root.querySelector(".last .change")
    this.age = root.querySelector(".last .age")
    this.body.replaceChildren() // an earlier view on the same root may have left its rows
    for (let level = 0; level < 5; level += 1) {
      const row = this.body.insertRow()
      for (const side of ["orders", "bq", "bid", "ask", "aq", "orders"]) row.insertCell().className = side
    }
    this.body.onclick = event => this.take(event.target.closest("td"))
    this.body.onkeydown = event => {
      if (event.key !== "Enter" && event.key !== " ") return
      event.preventDefault()
      this.take(event.target.closest("td"))
    }
  }

  // A price of a level is taken over by whoever asked for it.
  take(cell) {
    const side = cell?.classList.contains("bid") ? "bids" : cell?.classList.contains("ask") ? "asks" : null
    const level = side && this.shown[side][cell.parentNode.rowIndex - 1]
    if (this.data.taking && level) this.component.setTriggerValue("taken", level[0])
  }

  // Only what can be taken can be reached by the keyboard.
  offer(cell, price, name) {
    setAttribute(cell, "role", this.data.taking && price ? "button" : null)
    setAttribute(cell, "tabindex", this.data.taking && price ? 0 : null)
    setAttribute(cell, "title", this.data.taking && price ? `Take over this ${name} as the price` : null)
  }

  receive() {
    this.shown = { ...this.data, at: this.arrived }
    const { key, push } = this.data
    if (push) live.show(this, push, [key], [key])
    this.takeOver()
    this.draw()
  }

  // What the push channel told of some instruments.
  live(changed) {
    if (changed.has(this.data.key)) { this.takeOver(); this.draw() }
    else this.tick()
  }

  takeOver() {
    const row = live.rows.get(this.data.key)
    const told = live.depth.get(this.data.key)
    if (!this.data.push || !row || !told || row.values[FIELD.received_ms] < (this.data.t ?? 0)) return
    const [bids, asks, buy, sell, trouble] = told.values
    const age = (row.now - row.values[FIELD.received_ms]) / 1000
    const note = bids.length || asks.length ? null : this.data.note
    const [ltp, change, percent, feed] = ["ltp", "change", "change_percent", "from_feed"].map(name => row.values[FIELD[name]])
    const troubled = this.data.old && row.values[FIELD.received_ms] <= (this.data.t ?? 0)
    this.shown = { ...this.shown, bids, asks, buy, sell, note, trouble, ltp, change, percent, age, at: row.at, feed, old: troubled }
  }

  close() { live.hide(this) }

  draw() {
    const { bids, asks, decimals, label, ltp, change, percent } = this.shown
    const note = this.shown.trouble ?? this.shown.note
    setAttribute(this.table, "aria-label", label)
    setText(this.ltp, digits(ltp, decimals))
    const mark = arrowOf(change)
    const moved = change === null || change === undefined ? "" : `${digits(change, decimals, true)} (${digits(percent, 2, true)}%)`
    setText(this.change, mark && mark !== "=" ? `${mark} ${moved}` : moved)
    this.change.className = `change ${direction(change ?? 0)}`
    this.table.classList.toggle("uncounted", [...bids, ...asks].every(level => level[2] === null))
    const widest = Math.max(1, ...bids.map(level => level[1]), ...asks.map(level => level[1]))
    for (let i = 0; i < 5; i += 1) {
      const cells = this.body.rows[i].cells
      const [bid, ask] = [bids[i], asks[i]]
      setText(cells[0], bid ? digits(bid[2], 0) : MISSING)
      setText(cells[1], bid ? digits(bid[1], 0) : MISSING)
      setText(cells[2], bid ? digits(bid[0], decimals) : MISSING)
      setText(cells[3], ask ? digits(ask[0], decimals) : MISSING)
      setText(cells[4], ask ? digits(ask[1], 0) : MISSING)
      setText(cells[5], ask ? digits(ask[2], 0) : MISSING)
      this.offer(cells[2], bid, "bid")
      this.offer(cells[3], ask, "ask")
      cells[1].style.setProperty("--w", `${bid ? (bid[1] / widest) * 100 : 0}%`)
      cells[4].style.setProperty("--w", `${ask ? (ask[1] / widest) * 100 : 0}%`)
    }
    const { buy, sell } = this.shown
    setText(this.buy, digits(buy, 0))
    setText(this.sell, digits(sell, 0))
    const known = buy !== null && sell !== null && buy + sell > 0
    const share = known ? (buy / (buy + sell)) * 100 : 50
    this.balance.hidden = !known
    this.balance.firstElementChild.style.width = `${share}%`
    setAttribute(this.balance, "aria-label", known ? `${share.toFixed(0)} percent of the waiting quantity buys` : null)
    setText(this.bought, known ? `buy ${share.toFixed(0)} %` : "")
    setText(this.sold, known ? `sell ${(100 - share).toFixed(0)} %` : "")
    setText(this.spread, bids[0] && asks[0] ? `spread ${digits(asks[0][0] - bids[0][0], decimals)}` : "")
    this.note.hidden = !note
    setText(this.note, note ?? "")
    this.tick()
  }

  tick() {
    const { age, at, old: troubled, feed, in_session, made } = this.shown
    const now = age === null ? null : age + secondsSince(at, this.data)
    const old = now !== null && (isSilent(this) || isOld({ feed, troubled, moves: in_session, age: now }, this.data))
    this.root.classList.toggle("stale", old)
    const row = { m: in_session, p: made, a: now, now: this.data.now + sinceArrival(this) * 1000 }
    setText(this.age, now === null ? "" : sinceText(row, now, old))
  }
}

export default function (component) {
  return viewOf(component, root => new Depth(root))
}
