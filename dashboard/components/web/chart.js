// The chart: candles, volume, indicators, a bar that moves with the live price, crosshair, keyboard, picture.
// Plotly draws (`Plotly.react`, so that nothing is ever thrown away and zoom and pan stay); what is read off under the
// pointer lies above it as plain elements. The parts before this one: axis, colours, forming bar, plot, reading, tools.

const LEAST_BARS = 12
const FEW_BARS = 450 // fewer aggregated bars than this on screen: ask for more detail
const MANY_BARS = 1500
const ASK_MS = 160
const TELL_MS = 700
const AGAIN_MS = 500
const SETTLE_MS = 160 // after a turn of the wheel plotly is still at work
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false, showAxisDragHandles: false }

function loadPlotly(address) {
  globalThis.deskPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = address
    script.onload = () => resolve(globalThis.Plotly)
    script.onerror = () => { globalThis.deskPlotly = null; reject(new Error("the drawing library did not come")) }
    document.head.append(script)
  })
  return globalThis.deskPlotly
}

// Plotly puts its style rules into the document; inside a component they must be said again.
function adoptStyles(plot) {
  const place = plot.getRootNode()
  if (place === document || place.querySelector("style.of-plotly")) return
  const rules = [...document.querySelectorAll('head style[id^="plotly.js-style"]')]
    .flatMap(style => [...style.sheet.cssRules].map(rule => rule.cssText))
  place.prepend(Object.assign(make("style", "of-plotly"), { textContent: rules.join("\n") }))
}

class Chart extends Tools {
  constructor(root) {
    super()
    this.root = root.querySelector(".root")
    for (const name of ["readout", "tools", "stage", "plot", "legends", "cover", "foot", "hole", "progress"]) {
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
    this.redraw({ light: !this.isNew() })
    loadPlotly(data.asset).then(library => { this.library = library; this.redraw() }, error => this.failed(error))
  }

  // Is anything told that is not drawn yet? Most of what the desk tells is that nothing has changed.
  isNew() {
    const { id, bars, lines, compared, holes, provisional, areas, decimals } = this.data
    const told = JSON.stringify([id, bars, lines, compared, holes, provisional, areas, decimals, this.forming.closed, this.view])
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
    if (received < this.data.now - 60000 * (this.data.speed ?? 1)) return false
    const did = this.forming.price(ltp, this.data.has_volume ? volume : null, traded, Math.max(received, 0))
    if (!did) return false
    if (did === "opened") { this.barClosed(); this.redraw() }
    else this.redraw({ light: true })
    return true
  }

  barClosed() {
    const before = this.anchor()
    this.layOut()
    this.hold(before)
    this.ask("closed", this.forming.bar?.start ?? 0, 1200)
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
    const row = live.rows.get(this.data.key)
    if (!row) return true
    const age = (row.now - row.values[FIELD.received_ms]) / 1000 + secondsSince(row.at, this.data)
    return isSilent(this) || isOld(row.values[FIELD.from_feed], this.data.in_session, age, this.data)
  }

  close() {
    live.hide(this)
    clearTimeout(this.asking)
  }

  // -- drawing -----------------------------------------------------------------------------------------------

  redraw({ light = false } = {}) {
    this.due = this.due === "full" || !light ? "full" : "light"
    if (this.waiting) return
    this.waiting = true
    requestAnimationFrame(() => { this.waiting = false; this.draw() })
  }

  draw() {
    if (!this.library || !this.view || !this.due || !this.root.isConnected) return
    const wait = this.held ? 100 : this.busyUntil - performance.now()
    if (wait > 0) { setTimeout(() => this.redraw({ light: this.due === "light" }), wait); return }
    const began = performance.now()
    const full = this.due === "full" || this.outgrown() || this.scale.kind === "percent"
    this.due = null
    if (full) this.prepare()
    this.library.react(this.plot, this.traces, this.figure(), CONFIG)
    if (!this.wired) this.wire()
    this.draws[full ? "full" : "light"] += 1
    this.stage.dataset.ms = (performance.now() - began).toFixed(1)
    this.placeAll()
    this.mark()
  }

  // Does the forming bar stand out of its area?
  outgrown() {
    const bar = this.forming.bar
    if (!bar || !this.ranges || this.formingPlace > this.view[1]) return false
    const [low, high] = this.ranges.price
    const volume = this.ranges.volume ? bar.volume > this.ranges.volume[1] : false
    return this.scale.to(bar.low, this.bases?.own) < low || this.scale.to(bar.high, this.bases?.own) > high || volume
  }

  // Everything that a full redraw needs anew.
  prepare() {
    const { data } = this
    this.colours = readColours(this.root)
    this.scale = new Scale(data.compared.length ? "percent" : this.logarithmic ? "log" : "plain")
    this.size()
    this.areas = areasOf(data, this.height)
    this.names = axisNames(data)
    this.bases = this.scale.kind === "percent" ? this.basesAt(this.view[0]) : null
    this.ranges = rangesOf(this.plotted())
    this.traces = tracesOf(this.plotted())
    this.revision += 1
  }

  figure() { return layoutOf(this.plotted()) }

  plotted() {
    const { data, view, scale, colours, names, areas, ranges, bars, bases, width, height, revision, formingPlace } = this
    const bar = this.forming.bar
    return {
      data, view, scale, colours, names, areas, ranges, bars, bases, width, height, revision, formingPlace,
      forming: bar, over: bar ? this.forming.isOver(this.now()) : false, last: this.last(),
    }
  }

  last() {
    const { bars } = this
    const [closed, before] = [bars.close.at(-1), bars.close.at(-2)]
    const bar = this.forming.bar
    const base = this.scale.kind === "percent" ? this.bases?.own : null // in percent up and down are from the left edge
    const atEnd = this.data.bars.first + this.data.bars.time.length * bars.step >= this.data.total
    if (bar) return { price: bar.close, rose: bar.close >= (base ?? closed ?? bar.open), way: direction(bar.close - (base ?? closed ?? bar.open)) }
    if (closed === undefined || !atEnd) return null
    return { price: closed, rose: closed >= (base ?? before ?? closed), way: direction(closed - (base ?? before ?? closed)) }
  }

  // Where each line stood at the left edge of the view: their hundred percent.
  basesAt(left) {
    const first = Math.max(0, this.bars.place.findIndex(place => place >= left))
    const known = values => values.find((value, i) => i >= first && value !== null) ?? values.findLast(value => value !== null) ?? 1
    return { own: known(this.bars.close), others: this.data.compared.map(one => known(one.close)) }
  }

  size() {
    const wide = this.root.clientWidth || 600
    const full = document.fullscreenElement === this.root.getRootNode().host || this.root.matches(":fullscreen")
    const below = AREA_HEIGHT * this.data.areas.length
    const room = full ? globalThis.innerHeight - 130 - below : globalThis.innerHeight - (wide < 560 ? 420 : 350)
    this.width = wide
    this.height = Math.round(Math.max(wide < 560 ? 300 : 340, Math.min(room, full ? 4000 : 620)) + below)
    this.stage.style.height = `${this.height}px`
  }

  resized() {
    if (this.root.clientWidth !== this.width) this.redraw()
  }

  mark() {
    const { dataset } = this.stage
    dataset.bars = this.bars.place.length
    dataset.step = this.bars.step
    dataset.total = this.data.total
    dataset.view = this.view.map(place => place.toFixed(2)).join(" ")
    dataset.forming = this.forming.bar ? `${this.forming.bar.start} ${this.forming.bar.close}` : ""
    dataset.draws = `${this.draws.full} ${this.draws.light}`
    dataset.id = this.id
    this.root.dataset.drawn = this.id
  }

  wire() {
    this.wired = true
    adoptStyles(this.plot)
    this.plot.on("plotly_relayouting", () => { this.busyUntil = performance.now() + SETTLE_MS; this.placeAll() })
    this.plot.on("plotly_relayout", change => {
      const range = change["xaxis.range"] ?? [change["xaxis.range[0]"], change["xaxis.range[1]"]]
      if (range.every(Number.isFinite) && (range[0] !== this.view[0] || range[1] !== this.view[1])) this.look(range)
    })
  }

  // -- looking around ----------------------------------------------------------------------------------------

  // Show the bars between two places, as far as there are any.
  look(range) {
    let [from, to] = range
    const most = (this.end + 1) * 1.3 + 4
    const width = Math.min(most, Math.max(Math.min(LEAST_BARS, most), to - from))
    const middle = (from + to) / 2
    if (Math.abs(width - (to - from)) > 1e-9) [from, to] = [middle - width / 2, middle + width / 2]
    const [least, last] = [-width * 0.5, this.end - 1 + width * 0.5]
    const shift = from < least ? least - from : to > last ? last - to : 0
    this.view = [from + shift, to + shift]
    this.redraw()
    this.tellView()
  }

  zoom(factor, around = this.cursor ? this.placeOf(this.cursor.index) : this.isAtEnd() ? this.view[1] : (this.view[0] + this.view[1]) / 2) {
    this.look([around - (around - this.view[0]) * factor, around + (this.view[1] - around) * factor])
  }

  pan(share) {
    const by = (this.view[1] - this.view[0]) * share
    this.look([this.view[0] + by, this.view[1] + by])
  }

  fit() {
    this.view = this.whole()
    this.redraw()
    this.tellView()
  }

  toEnd() {
    const width = this.view[1] - this.view[0]
    const last = this.whole()[1]
    this.look([last - width, last])
  }

  // The desk hears where somebody looks: at once if it has finer bars of it, else when the eye has come to rest.
  tellView() {
    const { bars, total } = this.data
    const [from, to] = [Math.max(0, Math.floor(this.view[0])), Math.min(total, Math.ceil(this.view[1]))]
    const shown = (to - from) / bars.step
    const covered = bars.first <= from && bars.first + bars.time.length * bars.step >= to
    const wanting = !covered || (bars.step > 1 && shown < FEW_BARS) || shown > MANY_BARS
    const whole = Math.abs(from) < 1 && to >= total
    this.ask("view", { id: this.id, from, to, whole }, wanting ? ASK_MS : TELL_MS)
  }

  ask(what, value, after) {
    this.wishes = { ...this.wishes, [what]: value }
    clearTimeout(this.asking)
    this.asking = setTimeout(() => {
      const wishes = this.wishes
      this.wishes = {}
      for (const [name, wish] of Object.entries(wishes)) this.component.setTriggerValue(name, wish)
    }, after)
  }

  listen() {
    const { stage } = this
    stage.addEventListener("pointermove", event => this.pointed(event))
    stage.addEventListener("pointerleave", () => this.point(null))
    stage.addEventListener("pointerdown", () => { this.held = true; this.spoken.textContent = "" }, true)
    for (const name of ["pointerup", "pointercancel"]) globalThis.addEventListener(name, () => { this.held = false }, true)
    stage.addEventListener("dblclick", () => this.fit())
    stage.addEventListener("keydown", event => this.key(event))
    stage.addEventListener("wheel", () => { this.busyUntil = performance.now() + SETTLE_MS }, { capture: true, passive: true })
    stage.addEventListener("blur", () => this.point(null))
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.view) return
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const last = this.count() - 1
    const index = this.cursor?.index ?? last
    if (step && event.shiftKey) this.pan(step * 0.15)
    else if (step) this.walk(Math.min(last, Math.max(0, index + step)))
    else if (event.key === "Home") this.walk(0)
    else if (event.key === "End") this.walk(last)
    else if (event.key === "+" || event.key === "=") this.zoom(0.7)
    else if (event.key === "-") this.zoom(1.4)
    else if (event.key === "0") this.fit()
    else if (event.key === "l" || event.key === "L") this.toggleLog()
    else if (event.key === "Escape") this.point(null)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  // Crosshair to a bar, which is brought into sight and spoken.
  walk(index) {
    if (index < 0) return
    const place = this.placeOf(index)
    if (place < this.view[0] || place > this.view[1]) {
      const width = this.view[1] - this.view[0]
      this.look(place < this.view[0] ? [place - 0.5, place - 0.5 + width] : [place + 0.5 - width, place + 0.5])
    }
    this.point({ index, y: null })
    const bar = this.barAt(index)
    if (bar) setText(this.spoken, `${momentText(bar.time, this.data.unit)}: open ${this.figureText(bar.open)}, high ${this.figureText(bar.high)}, low ${this.figureText(bar.low)}, close ${this.figureText(bar.close)}`)
  }
}

export default function (component) {
  return viewOf(component, root => new Chart(root))
}
