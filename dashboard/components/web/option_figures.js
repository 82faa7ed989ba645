// What an option chain tells of all its contracts together: the price of the underlying as a line between the strikes,
// the strike at the money, max pain and the ratios, totals, and bars of open interest against the largest.

const SIDES = ["c", "p"]
const NAMES = { c: "call", p: "put" }

class ChainFigures {
  takeSpot() {
    const told = live.rows.get(this.price.k)
    if (!this.data.push || !told || told.values[FIELD.received_ms] < (this.price.t ?? 0)) return
    const { values, at, now } = told
    const newer = values[FIELD.received_ms] > (this.price.t ?? 0)
    this.price = {
      ...this.price,
      at,
      ltp: values[FIELD.ltp],
      ch: values[FIELD.change],
      pc: values[FIELD.change_percent],
      a: (now - values[FIELD.received_ms]) / 1000,
      feed: values[FIELD.from_feed],
      o: this.price.o && !newer,
    }
  }

  // Bars of open interest, each against the largest that is shown.
  drawBars() {
    const i = this.data.columns.findIndex(column => column.kind === "bar")
    if (i < 0) return
    let largest = 0
    for (const { side } of this.contracts.values()) largest = Math.max(largest, side.v[i][0] ?? 0)
    for (const { side, cells } of this.contracts.values()) {
      cells[i].style.setProperty("--w", largest ? `${Math.round(((side.v[i][0] ?? 0) / largest) * 100)}%` : "0%")
    }
  }

  drawTotals() {
    const { columns, figures } = this.data
    const total = { c: figures.calls, p: figures.puts }
    const cells = name => columns.map(column => {
      const sum = total[name][column.id]
      const cell = make("td", NAMES[name], sum === undefined ? "" : column.kind === "change" ? signedShort(sum) : shortNumber(sum))
      if (sum !== undefined && sum !== null) cell.title = digits(sum, 0)
      return cell
    })
    const middle = make("th", "strike", `All ${figures.count}`) // of the expiry, not of the rows above
    middle.scope = "row"
    middle.title = `Total of all ${figures.count} strikes of this expiry`
    this.foot.replaceChildren(...cells("c").reverse(), middle, ...cells("p"))
    this.showTotals()
  }

  // The row of totals goes where none of the columns that have one is wholly in sight.
  showTotals() {
    const { scrollLeft, clientWidth } = this.scroll
    let edge = 0
    const seen = [...this.foot.cells].some((cell, i) => {
      const left = edge
      edge += Number.parseFloat(this.cols.children[i].style.width)
      const told = cell.tagName === "TD" && cell.textContent !== ""
      return told && left >= scrollLeft - 1 && edge <= scrollLeft + clientWidth + 1
    })
    this.foot.hidden = !seen
  }

  // The line of the underlying, what is in the money, and the strike at the money.
  drawSpot() {
    const { ltp, pc, n, d } = this.price
    const known = typeof ltp === "number"
    const below = known ? this.strikes.filter(strike => strike < ltp).length : -1
    const at = known ? nearest(this.strikes, ltp) : this.data.figures.atm
    if (below !== this.below || at !== this.atm) {
      this.below = below
      this.atm = at
      for (const [strike, { tr, cells }] of this.rows) {
        tr.classList.toggle("atm", strike === at)
        const inside = { c: known && strike < ltp, p: known && strike > ltp }
        for (const name of SIDES) {
          for (const cell of cells[name]) cell.classList.toggle("in", inside[name] && !cell.classList.contains("none"))
          const first = cells[name][0]
          first.title = `${first.dataset.k ? (inside[name] ? "In the money. " : "") : ""}${digits(strike, this.data.sd)} ${NAMES[name]}`
        }
      }
      if (!known) this.line.remove()
      else {
        const next = this.rows.get(this.strikes[below])?.tr ?? null
        if (this.line.parentNode !== this.body || this.line.nextSibling !== next) this.body.insertBefore(this.line, next)
      }
    }
    const moved = pc === null || pc === undefined ? "" : ` ${withArrow(pc, `${digits(pc, 2, true)}%`)}`
    setText(this.lineWords, `${n} ${digits(ltp, d)}${moved}`)
    this.drawFigures()
  }

  drawFigures() {
    const { figures, sd } = this.data
    const { n, ltp, pc } = this.price
    const strike = value => digits(value, sd)
    const facts = [
      [n, digits(ltp, this.price.d), pc === null || pc === undefined ? "" : withArrow(pc, `${digits(pc, 2, true)}%`), "Price of the underlying", pc],
      ["At the money", strike(this.atm ?? figures.atm), "", typeof ltp === "number" ? "The strike nearest to it" : "The strike where call and put cost most nearly the same"],
      ["Max pain", strike(figures.pain), "", "The strike at which an expiry would pay the holders of all open contracts the least"],
      ["PCR, open interest", digits(figures.pcr_oi, 2), "", "Open puts for each open call"],
      ["PCR, volume", digits(figures.pcr_volume, 2), "", "Puts traded today for each call"],
      ["Expiry", this.data.expiry ?? "", this.data.until ?? "", "The last day of these contracts"],
    ]
    for (const [name, value, note, help, tone] of facts) {
      const id = name === n ? "spot" : name
      let fact = this.facts.get(id)
      if (!fact) {
        fact = { box: make("div"), dt: make("dt"), dd: make("dd"), value: make("span"), note: make("small") }
        fact.dd.append(fact.value, fact.note)
        fact.box.append(fact.dt, fact.dd)
        this.figures.append(fact.box)
        this.facts.set(id, fact)
      }
      setText(fact.dt, name)
      setText(fact.value, value)
      setText(fact.note, note)
      fact.note.className = tone === undefined ? "muted" : direction(tone ?? 0)
      fact.box.title = help
      fact.box.dataset.fact = id
    }
  }

  // The price of the underlying turns grey when it is no longer current, as those of the contracts do. What is told of
  // all contracts together turns grey when each of them has.
  tickFigures(silent, allOld) {
    const { a, at, feed, o, m } = this.price
    const age = a === null || a === undefined ? null : a + secondsSince(at, this.data)
    const old = age !== null && (silent || isOld({ feed, troubled: o, moves: m, age }, this.data))
    this.line.classList.toggle("stale", old)
    for (const [id, { box }] of this.facts) {
      if (id === "spot") box.classList.toggle("stale", old)
      else if (id === "At the money") box.classList.toggle("stale", age === null ? allOld : old)
      else if (id !== "Expiry") box.classList.toggle("stale", allOld)
    }
    this.foot.classList.toggle("stale", allOld)
  }

  // Where no contract moves, feed and broker repeat what they told when one did: the age since it came would mislead.
  greekWords(old) {
    const { feed, feed_age, chain, chain_age } = this.data.greeks
    const later = sinceArrival(this)
    const moves = [...this.contracts.values()].some(({ side }) => side.m)
    const since = age => (moves || old ? `, ${ageText(age + later)} old` : "")
    const parts = []
    if (feed) parts.push(`from the feed${since(feed_age)}`)
    if (chain) parts.push(`${feed ? `of ${chain} ` : ""}from the broker's chain${since(chain_age)}`)
    return parts.length ? `IV and greeks ${parts.join(", ")}.` : ""
  }
}
