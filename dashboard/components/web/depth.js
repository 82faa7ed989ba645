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
    this.body.replaceChildren() // an earlier view on the same root may have left its rows
    for (let level = 0; level < 5; level += 1) {
      const row = this.body.insertRow()
      for (const side of ["orders", "bq", "bid", "ask", "aq", "orders"]) row.insertCell().className = side
    }
  }

  receive() {
    const { bids, asks, decimals, label, note } = this.data
    setAttribute(this.table, "aria-label", label)
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
      cells[1].style.setProperty("--w", `${bid ? (bid[1] / widest) * 100 : 0}%`)
      cells[4].style.setProperty("--w", `${ask ? (ask[1] / widest) * 100 : 0}%`)
    }
    const { buy, sell } = this.data
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
    const age = this.data.age === null ? null : this.data.age + sinceArrival(this)
    const silent = performance.now() - this.arrived > (this.data.silent_after ?? 10) * 1000
    const old = age !== null && (silent || this.data.old || (this.data.in_session && age > this.data.stale_after))
    this.root.classList.toggle("stale", old)
  }
}

export default function (component) {
  return viewOf(component, root => new Depth(root))
}
