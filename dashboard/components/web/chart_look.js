// Looking around in a chart: zoom, pan, crosshair by pointer and keyboard; and telling the desk what is in sight, which
// has finer bars of it.

const LEAST_BARS = 12
const FEW_BARS = 450 // fewer aggregated bars than this on screen: ask for more detail
const MANY_BARS = 1500
const ASK_MS = 160
const TELL_MS = 700
const TAP_PIXELS = 8

class Looking extends Drawing {
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
    stage.addEventListener("pointermove", event => { if (event.pointerType !== "touch") this.pointed(event) })
    stage.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") this.point(null) })
    stage.addEventListener("pointerdown", event => this.press(event), true)
    stage.addEventListener("dblclick", () => this.fit())
    stage.addEventListener("keydown", event => this.key(event))
    stage.addEventListener("wheel", () => { this.busyUntil = performance.now() + SETTLE_MS }, { capture: true, passive: true })
    stage.addEventListener("blur", () => this.point(null))
  }

  // A finger that moves drags the chart; one that taps reads the bar under it, which stays until another tap.
  press(event) {
    this.held = true
    this.spoken.textContent = ""
    const over = new AbortController() // plotly lays a cover over the page meanwhile: the end is heard at the window
    const release = end => {
      over.abort()
      this.held = false
      const still = Math.hypot(end.clientX - event.clientX, end.clientY - event.clientY) < TAP_PIXELS
      if (end.type === "pointerup" && end.pointerType === "touch" && still) this.tapped(end)
    }
    for (const name of ["pointerup", "pointercancel"]) globalThis.addEventListener(name, release, { capture: true, signal: over.signal })
  }

  tapped(event) {
    const before = this.cursor?.index
    this.pointed(event)
    if (this.cursor?.index === before) this.point(null)
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
    if (!bar) return
    const figures = ["open", "high", "low", "close"].map(name => `${name} ${this.figureText(bar[name])}`)
    const own = marksAt(this.placeOf(index), this)
    setText(this.spoken, [`${momentText(bar.time, this.data.unit)}: ${figures.join(", ")}`, ...own].join(". "))
  }
}
