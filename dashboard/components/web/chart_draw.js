// Has plotly draw: all of it where bars or the view have changed, only what a price moves otherwise. `Plotly.react` throws
// nothing away, so zoom and pan stay.

const SETTLE_MS = 160 // after a turn of the wheel plotly is still at work
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false, showAxisDragHandles: false }

class Drawing extends Tools {
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
    this.old = this.isLastOld()
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
      forming: bar, over: bar ? this.forming.isOver(this.now()) : false, last: this.last(), old: this.old,
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

  // The page below keeps its place while the drawing library is on its way, and what is known can be read.
  makeRoom() {
    this.size()
    this.showReadout()
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
}
