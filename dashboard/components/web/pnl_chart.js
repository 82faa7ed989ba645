// The pictures of results: the curve with its drawdown and the results of days, the way from gross to net, and how
// results are spread. A few hundred figures each, so they are drawn here, at once, without a drawing library: the page
// is painted as soon as its figures are there. Colours are those of the style sheet, and change with the theme.

const KINDS = { curve: curvePicture, way: wayPicture, spread: spreadPicture }
const DRAG = 6 // pixels: less is a click
const TWICE_MS = 250 // in which a second click comes
const AREAS = { net: [0, 0.53], depth: [0.58, 0.73], bars: [0.78, 1] } // shares of the height, from above

// Each returns its height, its shapes, and the spots that can be pointed at: where, what is told there (texts, the first
// of them bold), what marks it, and the day that a click looks at.

// -- the curve ---------------------------------------------------------------------------------------------------------

function curvePicture({ data, width, seen }) {
  const narrow = width < 520
  const { days, net, total, below, trades } = data
  const [left, right, top, low, height] = [8, width - (narrow ? 54 : 60), 18, 24, narrow ? 400 : 440]
  const found = (seen ?? []).map(day => days.indexOf(day))
  const [start, end] = seen && Math.min(...found) >= 0 ? [found[0], found[1] + 1] : [0, days.length]
  const moments = days.slice(start, end).map(iso => Date.parse(iso))
  const across = scaleOf(paddedDays(moments[0], moments[moments.length - 1]), left, right)
  const places = moments.map(across.at)
  const bars = barsOf(days.slice(start, end), net.slice(start, end), right - left)
  const values = { net: total.slice(start, end), depth: below.slice(start, end), bars: bars.bars.map(bar => bar[1]) }
  const names = { net: "Net result, running sum", depth: "Drawdown from the highest point", bars: `Net result by ${bars.unit}` }
  const shapes = []
  const points = {}
  for (const [area, share] of Object.entries(AREAS)) {
    const [from, to] = share.map(part => top + part * (height - top - low))
    const span = spanOf([0, ...values[area]], area === "depth" ? 0.06 : 0.1)
    const up = scaleOf(span, to, from)
    const ticks = area === "bars" ? outerTicks(values.bars, up) : moneyTicks(span[0], span[1], Math.max(2, ((share[1] - share[0]) * height) / (area === "net" ? 44 : 30)))
    for (const [value, text] of ticks) {
      shapes.push(shape("path", { class: "grid", d: `M${left} ${up.at(value)}H${right}` }))
      shapes.push(shape("text", { x: right + 5, y: up.at(value) + 4 }, text))
    }
    shapes.push(shape("path", { class: "guide", d: `M${left} ${up.at(0)}H${right}` }))
    shapes.push(shape("text", { x: left, y: from - 6 }, names[area]))
    if (area === "bars") shapes.push(...dayBars(bars, across, up, left, right))
    else points[area] = values[area].map((value, i) => [places[i], up.at(value)])
    if (area !== "bars" && places.length > 1) {
      shapes.push(shape("path", { class: `${area}-area`, d: areaUnder(points[area], up.at(0)) }))
      shapes.push(shape("path", { class: area, d: lineThrough(points[area]) }))
    }
  }
  if (places.length === 1) shapes.push(...dotsAt(points, 0))
  for (const [moment, text] of dayTicks(...paddedDays(moments[0], moments[moments.length - 1]), Math.max(3, Math.floor((right - left) / 90)))) {
    shapes.push(shape("text", { x: Math.max(26, across.at(moment)), y: height - 7, "text-anchor": "middle" }, text))
  }
  const spots = places.map((x, i) => ({
    x, y: points.net[i][1], day: days[start + i],
    mark: () => [shape("path", { class: "dotted", d: `M${x.toFixed(1)} ${top}V${height - low}` }), ...dotsAt(points, i)],
    told: () => [
      dayText(days[start + i]), `Net that day ${rupeeText(net[start + i], 2, true)}`, `Net so far ${rupeeText(total[start + i], 2, true)}`,
      ...(below[start + i] < 0 ? [`Below the peak ${rupeeText(below[start + i])}`] : []),
      `${digits(trades[start + i], 0)} trade${trades[start + i] === 1 ? "" : "s"}`,
    ],
  }))
  return { height, shapes, spots, along: "x", right, zooms: true }
}

function dotsAt(points, i) {
  return [["net", "dot", 4], ["depth", "dot below", 3]].map(([area, kind, r]) => shape("circle", { class: kind, cx: points[area][i][0], cy: points[area][i][1], r }))
}

function dayBars({ unit, bars }, across, up, left, right) {
  const [before, after] = { day: [0.37, 0.37], week: [0, 5.4], month: [0, 24] }[unit]
  const paths = { up: "", down: "" }
  for (const [start, value] of bars) {
    const from = Math.max(left, across.at(start - before * DAY))
    const to = Math.min(right, across.at(start + after * DAY))
    if (value && to > from) paths[direction(value)] += `M${from.toFixed(1)} ${up.at(0).toFixed(1)}V${up.at(value).toFixed(1)}H${to.toFixed(1)}V${up.at(0).toFixed(1)}Z`
  }
  return Object.entries(paths).map(([way, d]) => shape("path", { class: `bar ${way}`, d }))
}

// -- from gross to net -------------------------------------------------------------------------------------------------

// Steps across, one a line, so that names are readable on a phone. Where charges are small beside the whole, the axis
// begins close to them, and says so: else each step would be a hairline.
function wayPicture({ data, width }) {
  const { steps } = data
  const [left, right, top, row] = [Math.min(132, width * 0.34), width - 96, 4, 26]
  const bottom = top + steps.length * row
  let running = 0
  const bars = steps.map(step => {
    const before = step.whole ? 0 : running
    running = before + step.value
    return [Math.min(before, running), Math.max(before, running)]
  })
  const ends = bars.flat()
  const inner = steps.flatMap((step, i) => (step.whole ? [step.value] : bars[i]))
  const [least, most] = [Math.min(...inner), Math.max(...inner)]
  const close = most - least < Math.abs(least > 0 ? most : least) * 0.3
  const cut = !close ? null : least > 0 ? Math.max(0, least - (most - least) * 0.5) : most < 0 ? Math.min(0, most + (most - least) * 0.5) : null
  const low = cut !== null && least > 0 ? cut : Math.min(...ends)
  const high = cut !== null && most < 0 ? cut : Math.max(...ends)
  const room = (high - low) * 0.04 || 1
  const range = [low - (low < 0 || cut === null ? room : 0), high + room]
  const across = scaleOf(range, left, right)
  const shapes = []
  for (const [value, text] of moneyTicks(range[0], range[1], Math.max(2, (right - left) / 82))) {
    shapes.push(shape("path", { class: "grid", d: `M${across.at(value)} ${top}V${bottom}` }))
    shapes.push(shape("text", { x: across.at(value), y: bottom + 17, "text-anchor": "middle" }, text))
  }
  if (range[0] <= 0 && range[1] >= 0) shapes.push(shape("path", { class: "guide", d: `M${across.at(0)} ${top}V${bottom}` }))
  const spots = steps.map((step, i) => {
    const middle = top + (i + 0.5) * row
    const [from, to] = [Math.max(bars[i][0], range[0]), Math.min(bars[i][1], range[1])].map(across.at)
    const tone = step.whole ? direction(step.value) : step.value < 0 ? "charge" : "back"
    shapes.push(shape("text", { class: "name", x: left - 7, y: middle + 4, "text-anchor": "end" }, step.name))
    shapes.push(shape("rect", { class: `bar ${tone}`, x: from, y: middle - row * 0.31, width: Math.max(to - from, 0.5), height: row * 0.62 }))
    const kind = step.whole ? `name result ${tone}` : "name"
    shapes.push(shape("text", { class: kind, x: width - 2, y: middle + 4, "text-anchor": "end" }, rupeeText(step.value)))
    return { x: (from + to) / 2, y: middle, told: () => step.told, mark: () => [shape("rect", { class: "mark", x: 0, y: middle - row / 2, width, height: row })] }
  })
  const foot = cut === null ? "" : `The axis does not begin at zero: it begins at ${shortRupees(cut)}, so that charges can be seen.`
  return { height: bottom + 24, shapes, spots, along: "y", right: width, foot }
}

// -- how results are spread --------------------------------------------------------------------------------------------

function spreadPicture({ data, width }) {
  const { edges, counts, names } = data
  const [left, right, top, bottom, height] = [8, width - 44, 12, 260, 300]
  const across = scaleOf([-0.1, counts.length + 0.1], left, right)
  const most = Math.max(1, ...counts)
  const up = scaleOf([0, most * 1.08], bottom, top)
  const shapes = []
  const step = niceCount(most / 4)
  for (let n = 0; n <= most * 1.05; n += step) {
    shapes.push(shape("path", { class: "grid", d: `M${left} ${up.at(n)}H${right}` }))
    shapes.push(shape("text", { x: right + 5, y: up.at(n) + 4 }, digits(n, 0)))
  }
  const zero = edges.indexOf(0)
  const every = Math.ceil(edges.length / Math.max(3, (right - left) / 78))
  edges.forEach((edge, i) => {
    if (i === 0 || i === edges.length - 1 || (i - Math.max(zero, 0)) % every) return
    shapes.push(shape("text", { x: across.at(i), y: bottom + 15, "text-anchor": "middle" }, shortRupees(edge)))
  })
  shapes.push(shape("text", { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, "Net result of a trade"))
  const spots = counts.map((count, i) => {
    const [from, to] = [across.at(i + 0.04), across.at(i + 0.96)]
    shapes.push(shape("rect", { class: `bar ${edges[i] < 0 ? "down" : "up"}`, x: from, y: up.at(count), width: to - from, height: bottom - up.at(count) }))
    return {
      x: (from + to) / 2, y: up.at(count), told: () => [`${digits(count, 0)} trade${count === 1 ? "" : "s"}`, names[i]],
      mark: () => [shape("rect", { class: "mark", x: across.at(i), y: top, width: across.at(i + 1) - across.at(i), height: bottom - top })],
    }
  })
  if (zero > 0 && zero < edges.length - 1) shapes.push(shape("path", { class: "dotted", d: `M${across.at(zero)} ${top}V${bottom}` }))
  return { height, shapes, spots, along: "x", right, foot: data.foot }
}

// ----------------------------------------------------------------------------------------------------------------------

class PnlChart {
  constructor(root) {
    for (const part of ["stage", "plot", "tip", "whole", "foot", "sr"]) this[part] = root.querySelector(`.${part}`)
    this.revision = 0
    this.seen = this.pressed = null
    this.sizes = new ResizeObserver(() => { if (this.stage.clientWidth !== this.width) requestAnimationFrame(() => this.draw()) })
    this.plot.addEventListener("pointerdown", event => this.press(event))
    this.plot.addEventListener("pointermove", event => this.move(event))
    this.plot.addEventListener("pointerup", event => this.release(event))
    this.plot.addEventListener("pointercancel", () => this.forget())
    this.plot.addEventListener("pointerleave", () => { if (this.pressed === null) this.point(-1) })
    this.plot.addEventListener("click", event => this.click(event))
    this.plot.addEventListener("dblclick", () => { clearTimeout(this.opening); this.look(null) })
    this.whole.addEventListener("click", () => { this.look(null); this.stage.focus({ preventScroll: true }) })
    this.stage.addEventListener("keydown", event => this.key(event))
    this.stage.addEventListener("blur", () => this.point(-1))
  }

  receive() {
    this.sizes.observe(this.stage)
    const told = JSON.stringify(this.data)
    if (told === this.drawn) return
    this.drawn = told
    if (this.data.id !== this.id) this.seen = null
    this.id = this.data.id
    setAttribute(this.stage, "aria-label", this.data.label)
    this.stage.style.minHeight = `${this.data.height}px`
    this.draw()
  }

  draw() {
    if (!this.data || !this.stage.isConnected || !this.stage.clientWidth) return
    this.width = this.stage.clientWidth
    this.forget()
    this.picture = KINDS[this.data.kind](this)
    const { height, shapes, zooms, foot } = this.picture
    const svg = shape("svg", { width: this.width, height, "aria-hidden": "true" })
    this.marks = shape("g", {})
    svg.append(this.marks, ...shapes)
    if (this.data.kind === "curve") svg.append(this.marks) // its marks stand on the line, those of bars behind them
    this.plot.replaceChildren(svg)
    this.plot.classList.toggle("zooms", Boolean(zooms))
    this.stage.style.minHeight = `${height}px`
    this.whole.hidden = !this.seen
    setText(this.foot, foot ?? "")
    this.revision += 1
    this.stage.dataset.drawn = this.revision
  }

  // Pixels inside the picture.
  place(event) {
    const { left, top } = this.plot.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }

  // The number of the spot that is closest along the axis, or -1.
  nearest(place) {
    const { spots, along, right } = this.picture
    if (place.x > right) return -1
    let found = -1
    spots.forEach((spot, i) => { if (found < 0 || Math.abs(spot[along] - place[along]) < Math.abs(spots[found][along] - place[along])) found = i })
    return found
  }

  point(number, place) {
    if (!this.picture || number === this.at) return
    this.at = number
    const spot = this.picture.spots[number]
    this.tip.hidden = !spot
    this.marks.replaceChildren(...(spot ? spot.mark() : []))
    if (!spot) return
    const [title, ...lines] = spot.told()
    this.tip.replaceChildren(make("b", "", title), ...lines.map(line => make("div", "", line)))
    const { offsetWidth, offsetHeight } = this.tip
    const beside = (this.picture.along === "y" && place ? place.x : spot.x) + 14
    const left = beside + offsetWidth <= this.width ? beside : beside - 28 - offsetWidth
    this.tip.style.left = `${Math.max(0, Math.min(left, this.width - offsetWidth))}px`
    this.tip.style.top = `${Math.max(0, Math.min(spot.y - offsetHeight / 2, this.picture.height - offsetHeight))}px`
  }

  press(event) {
    this.dragged = false
    if (!this.picture?.zooms || event.button !== 0) return
    this.pressed = this.place(event).x
    this.plot.setPointerCapture(event.pointerId)
  }

  move(event) {
    if (!this.picture) return
    const place = this.place(event)
    if (this.pressed === null) return this.point(this.nearest(place), place)
    this.dragged ||= Math.abs(place.x - this.pressed) > DRAG
    if (!this.dragged) return
    this.point(-1)
    const [from, to] = this.band(place.x)
    this.marks.replaceChildren(shape("rect", { class: "band", x: from, y: 1, width: to - from, height: this.picture.height - 26 }))
  }

  release(event) {
    if (this.pressed === null) return
    const [from, to] = this.band(this.place(event).x)
    this.forget()
    if (!this.dragged) return
    const days = this.picture.spots.filter(spot => spot.x >= from && spot.x <= to).map(spot => spot.day)
    if (days.length > 1) this.look([days[0], days[days.length - 1]])
  }

  band(x) {
    const end = Math.max(0, Math.min(x, this.picture.right))
    return [Math.min(this.pressed, end), Math.max(this.pressed, end)]
  }

  forget() {
    this.pressed = null
    this.point(-1)
    this.marks?.replaceChildren()
  }

  // A day alone. In a closer look the second click of two takes back the look, so the first waits for it.
  click(event) {
    const day = this.picture && !this.dragged && this.picture.spots[this.nearest(this.place(event))]?.day
    if (!day) return
    clearTimeout(this.opening)
    if (this.seen) this.opening = setTimeout(() => this.open(day), TWICE_MS)
    else this.open(day)
  }

  open(day) {
    this.component.setTriggerValue("day", day)
  }

  look(seen) {
    if (seen === this.seen) return
    this.seen = seen
    this.draw()
  }

  key(event) {
    if (!this.picture || event.ctrlKey || event.metaKey || event.altKey) return
    const { spots } = this.picture
    const at = this.at ?? -1
    if (event.key === "Enter" && spots[at]?.day) return this.open(spots[at].day)
    if (event.key === "Escape") return this.seen && at < 0 ? this.look(null) : this.point(-1)
    const last = spots.length - 1
    const to = {
      ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at < 0 ? last : at - 1, ArrowUp: at < 0 ? last : at - 1, Home: 0, End: last,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    this.point(Math.max(0, Math.min(to, last)))
    setText(this.sr, spots[this.at]?.told().join(", ") ?? "")
  }

  close() {
    clearTimeout(this.opening)
    this.sizes.disconnect()
  }
}

export default function (component) {
  return viewOf(component, root => new PnlChart(root))
}
