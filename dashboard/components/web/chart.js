// The chart: candles, volume, indicators, a bar that moves with the live price, crosshair, keyboard, picture.
// Here: what the desk and the push channel tell, and the bars that come of it. What is read off under the pointer lies
// above the drawing as plain elements. The parts before this one: axis, colours, forming bar, plot, own trades, reading,
// tools, drawing, looking around.

const AGAIN_MS = 500

class Chart extends Looking {
  constructor(root) {
    super()
    this.root = root.querySelector(".root")
    for (const name of ["readout", "tools", "stage", "plot", "legends", "cover", "foot", "notes", "progress"]) {
      this[name] = root.querySelector(`.${name}`)
    }
    this.spoken = root.querySelector(".sr")
    this.across = root.querySelector(".across")
    this.down = root.querySelector(".down")
    this.tags = Object.fromEntries(["last", "price", "time"].map(name => [name, root.querySelector(`.tag.${name}`)]))
    this.stage.deskChart = this // for whoever measures
    this.revision = 0
    this.draws = { full: 0, light: 0 }
    this.cursor = null // { index, y } of what the crosshair is on
    this.busyUntil = 0
    this.buildTools()
    this.listen()
    this.sizes = new ResizeObserver(() => this.resized())
    this.sizes.observe(this.root)
  }

  // -- what the desk tells -----------------------------------------------------------------------------------

  receive() {
    const { data } = this
    const anew = data.id !== this.id
    const before = anew ? null : this.forming
    const anchor = anew ? null : this.anchor()
    this.id = data.id
    this.clock = { ms: data.now, at: this.arrived }
    if (anew) { this.cursor = null; this.setLog(data.log) }
    this.forming = new Forming(data.forming, data.edges)
    if (before) this.forming.inherit(before)
    this.forming.forget(data.last_start ?? -Infinity)
    this.layOut()
    if (anew) this.view = data.view ?? this.whole()
    else this.hold(anchor)
    if (data.push && data.key) live.show(this, data.push, [data.key, ...data.compared.map(one => one.key)], [])
    this.takeOver()
    setAttribute(this.stage, "aria-label", data.label)
    setText(this.foot, data.foot ?? "")
    this.cover.hidden = !data.note
    setText(this.cover, data.note ?? "")
    this.stage.toggleAttribute("data-empty", Boolean(data.note))
    this.showProgress()
    if (anew) this.makeRoom()
    this.redraw({ light: !this.isNew() })
    loadPlotly(data.asset).then(library => { this.library = library; this.redraw() }, error => this.failed(error))
  }

  // Is anything told that is not drawn yet? Most of what the desk tells is that nothing has changed.
  isNew() {
    const { id, bars, lines, compared, holes, marks, provisional, areas, decimals } = this.data
    const told = JSON.stringify([id, bars, lines, compared, holes, marks, provisional, areas, decimals, this.forming.closed, this.view])
    const anew = told !== this.drawnOf
    this.drawnOf = told
    return anew
  }

  // While bars are on their way the desk is asked again and again how far they have come.
  showProgress() {
    const told = this.data.progress
    this.progress.hidden = !told
    if (!told) return
    const share = Math.round(told[0] * 100)
    this.progress.firstElementChild.style.width = `${Math.max(2, share)}%`
    setText(this.progress.lastElementChild, told[1] || "Reading candles")
    setAttribute(this.progress, "aria-valuenow", share)
    setAttribute(this.progress, "aria-label", told[1] || "Reading candles")
    this.ask("again", this.arrived, AGAIN_MS)
  }

  failed(error) {
    this.cover.hidden = false
    setText(this.cover, `The chart cannot be drawn: ${error.message}. Load the page again.`)
  }

  // Bars as they are drawn: those of the desk, and those that ended here meanwhile.
  layOut() {
    const { bars, total } = this.data
    const place = bars.time.map((_, i) => bars.first + i * bars.step + (bars.step - 1) / 2)
    const told = this.data.forming ? [...place, total] : place
    const complete = bars.first + bars.time.length * bars.step >= total
    const fresh = complete && bars.step === 1 ? this.forming.closed : []
    this.formingPlace = total + fresh.length
    this.bars = {
      place: [...place, ...fresh.map((_, i) => total + i)], sent: told, step: bars.step,
      time: [...bars.time, ...fresh.map(bar => bar.start)], oi: bars.oi,
      ...Object.fromEntries(["open", "high", "low", "close", "volume"].map(name =>
        [name, fresh.length ? [...bars[name], ...fresh.map(bar => bar[name])] : bars[name]])),
    }
  }

  get end() { return this.formingPlace + (this.forming.bar ? 1 : 0) }

  whole() {
    const room = Math.max(1, this.end * 0.015)
    return [-0.5 - room / 2, this.end - 0.5 + room]
  }

  // What must stay where it is when bars are added: the time at the left edge, or the end for who looks at the end.
  anchor() {
    if (!this.bars?.time.length) return null
    const index = this.nearest(this.view[0])
    return { ms: this.bars.time[index], off: this.view[0] - this.bars.place[index], follows: this.isAtEnd(), end: this.end }
  }

  isAtEnd() {
    return this.view[1] >= this.end - 0.75
  }

  hold(anchor) {
    if (!anchor) { this.view = this.whole(); return }
    let shift = 0
    if (anchor.follows) shift = this.end - anchor.end
    else {
      const index = this.bars.time.findIndex(ms => ms >= anchor.ms)
      if (index >= 0 && this.bars.time[index] === anchor.ms) shift = this.bars.place[index] + anchor.off - this.view[0]
    }
    if (Math.abs(shift) > 0.01) this.view = [this.view[0] + shift, this.view[1] + shift]
  }

  // -- live prices -------------------------------------------------------------------------------------------

  live(changed) {
    if (changed.has(this.data.key) && this.takeOver()) return
    this.tick()
  }

  // Take the newest price. True if it redraws.
  takeOver() {
    const row = live.rows.get(this.data.key)
    if (!this.data.push || !row || !this.data.edges.length) return false
    const [ltp, volume, traded, received] = ["ltp", "volume", "last_trade_ms", "received_ms"].map(name => row.values[FIELD[name]])
    this.clock = { ms: row.now, at: row.at }
    const fresh = received >= this.data.now - 60000 * (this.data.speed ?? 1)
    const before = this.anchor()
    const began = this.forming.bar === null
    const did = this.forming.price(ltp, this.data.has_volume ? volume : null, traded, Math.max(received, 0), fresh)
    if (!did) return false
    const opened = did === "opened"
    if (opened || began) { // one bar more: who looks at the end goes along
      this.layOut()
      this.hold(before)
    }
    if (opened) this.ask("closed", this.forming.bar?.start ?? 0, 1200)
    this.redraw({ light: !opened && !began })
    return true
  }

  now() {
    return this.clock.ms + secondsSince(this.clock.at, this.data) * 1000
  }

  tick() {
    if (!this.view) return
    const signature = colourSignature(this.root)
    if (this.colours && signature !== this.colours.signature) this.redraw()
    const over = this.forming.isOver(this.now())
    if (over && this.told !== this.forming.bar.start) {
      this.told = this.forming.bar.start
      this.ask("closed", this.told, 1500 / Math.max(1, this.data.speed ?? 1))
      this.redraw({ light: true })
    }
    this.showReadout()
    this.placeLast()
  }

  // Is the price that the forming bar stands on not current?
  isOld() {
    const age = this.age()
    if (age === null) return true
    const feed = live.rows.get(this.data.key)?.values[FIELD.from_feed] ?? false
    return isSilent(this) || isOld({ feed, troubled: this.data.troubled, moves: this.data.in_session, age }, this.data)
  }

  // Seconds since that price was told, or where no bar forms since the newest one came; null where nobody knows.
  age() {
    const row = live.rows.get(this.data.key)
    const received = row?.values[FIELD.received_ms]
    if (this.forming.bar === null) return row ? (row.now - received) / 1000 + secondsSince(row.at, this.data) : null
    const told = this.forming.toldAt(row?.values[FIELD.ltp], received)
    return told === null ? null : (this.now() - told) / 1000
  }

  close() {
    live.hide(this)
    clearTimeout(this.asking)
  }
}

export default function (component) {
  return viewOf(component, root => new Chart(root))
}
