// Small charts over one axis of time. The pointer on one of them reads the same instant in all.

const HEIGHT = 104
const LEFT = 34
const RIGHT = 4
const TOP = 6
const BOTTOM = 17
const STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800].map(s => s * 1000)
const IST_MS = 19800000

class HealthCharts {
  constructor(root) {
    this.list = root.querySelector(".charts")
    this.list.replaceChildren()
    this.views = new Map()
    this.at = null
  }

  receive() {
    const { charts, label } = this.data
    setAttribute(this.list, "aria-label", label)
    for (const chart of charts) {
      const view = this.views.get(chart.id) ?? this.make(chart.id)
      view.chart = chart
      setText(view.title, chart.title)
      setText(view.unit, chart.unit)
      setAttribute(view.item, "title", chart.hint)
    }
    redrawWith(this, this.list)
    this.draw()
  }

  close() { redrawNoMore(this) }

  // The values that are shown while nobody points grow older also when nothing new comes.
  tick() {
    for (const view of this.views.values()) if (this.at === null) setText(view.time, this.stretch(view))
  }

  stretch(view) {
    const told = view.chart.lines.map(line => newest(line.v)).filter(place => place >= 0)
    return told.length ? `up to ${this.ago(Math.min(...told))} old` : ""
  }

  // A value is of the stretch that ends at its place: so old it may be.
  ago(place) {
    const { from, t, to } = this.data
    return atMost((to - (place ? t[place - 1] : from)) / 1000 + sinceArrival(this))
  }

  make(id) {
    const item = document.createElement("li")
    item.className = "chart"
    const head = document.createElement("div")
    head.className = "title"
    const [title, unit, time] = ["b", "span", "time"].map(tag => document.createElement(tag))
    head.append(title, unit, time)
    const legend = document.createElement("div")
    legend.className = "legend"
    const svg = document.createElementNS(SVG, "svg")
    setAttribute(svg, "class", "plot")
    setAttribute(svg, "role", "img")
    item.append(head, legend, svg)
    this.list.append(item)
    const view = { item, title, unit, time, legend, svg }
    svg.onpointermove = event => this.point(view, event)
    svg.onpointerleave = () => this.point(view, null)
    this.views.set(id, view)
    return view
  }

  point(view, event) {
    let at = null
    if (event) {
      const box = view.svg.getBoundingClientRect()
      const share = (event.clientX - box.left - LEFT) / Math.max(1, box.width - LEFT - RIGHT)
      at = Math.min(this.data.t.length - 1, Math.max(0, Math.round(share * (this.data.t.length - 1))))
    }
    if (at === this.at) return
    this.at = at
    for (const one of this.views.values()) this.read(one)
  }

  draw() {
    for (const view of this.views.values()) {
      this.plot(view)
      this.read(view)
    }
  }

  plot(view) {
    const { chart, svg } = view
    const width = view.width = Math.max(120, svg.clientWidth || 240)
    setAttribute(svg, "viewBox", `0 0 ${width} ${HEIGHT}`)
    const known = chart.lines.flatMap(line => line.v).filter(value => value !== null)
    const top = niceTop(Math.max(chart.limit ?? 0, ...known, 0))
    const x = view.x = place => LEFT + (place / Math.max(1, this.data.t.length - 1)) * (width - LEFT - RIGHT)
    const y = value => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM)
    const parts = []
    for (const share of [0, 0.5, 1]) {
      parts.push(rule("grid", LEFT, y(top * share), width - RIGHT, y(top * share)))
      parts.push(words(axisText(top * share), LEFT - 5, y(top * share) + 3.5, "end"))
    }
    for (const [ms, label] of this.ticks(width)) {
      const place = LEFT + ((ms - this.data.from) / (this.data.to - this.data.from)) * (width - LEFT - RIGHT)
      parts.push(rule("grid", place, HEIGHT - BOTTOM, place, HEIGHT - BOTTOM + 3))
      parts.push(words(label, place, HEIGHT - 3, "middle"))
    }
    if (chart.limit !== null) parts.push(rule("limit", LEFT, y(chart.limit), width - RIGHT, y(chart.limit)))
    chart.lines.forEach((line, place) => {
      const pieces = runs(line.v).map(([from, to]) => [
        points(line.v, from, to, x, y),
        `${x(from).toFixed(1)} ${y(0).toFixed(1)}`, `${x(to - 1).toFixed(1)} ${y(0).toFixed(1)}`,
      ])
      if (place === 0 && pieces.length) {
        parts.push(path(`area ${line.tone}`, pieces.map(([way, left, right]) => `M${left}L${way}L${right}Z`).join("")))
      }
      if (pieces.length) parts.push(path(line.tone, pieces.map(([way]) => `M${way}`).join("")))
    })
    if (!known.length) {
      parts.push(words("no figures in this time", (LEFT + width) / 2, HEIGHT / 2, "middle", "none"))
    }
    view.cursor = rule("cursor", 0, TOP, 0, HEIGHT - BOTTOM)
    parts.push(view.cursor)
    svg.replaceChildren(...parts)
    setAttribute(svg, "aria-label", this.summary(chart))
  }

  read(view) {
    const { chart } = view
    const place = this.at
    const shown = chart.lines.map(line => {
      const value = line.v[place ?? newest(line.v)] ?? null
      return { ...line, value }
    })
    const lines = shown.map(line => {
      const one = document.createElement("span")
      one.className = line.tone
      const figure = document.createElement("b")
      figure.textContent = digits(line.value, Math.abs(line.value) < 100 ? chart.decimals : 0)
      one.append(document.createElement("i"), `${line.name} `, figure)
      return one
    })
    if (chart.limit !== null) {
      const limit = document.createElement("span")
      limit.className = "limit"
      limit.append(document.createElement("i"), `alert above ${digits(chart.limit, Number.isInteger(chart.limit) ? 0 : 1)}`)
      lines.push(limit)
    }
    view.legend.replaceChildren(...lines)
    setText(view.time, place === null ? this.stretch(view) : dayTime(this.data.t[place]))
    const there = place !== null && view.x
    setAttribute(view.cursor, "visibility", there ? "visible" : "hidden")
    if (there) for (const end of ["x1", "x2"]) setAttribute(view.cursor, end, view.x(place).toFixed(1))
  }

  summary(chart) {
    const told = chart.lines.map(line => {
      const known = line.v.filter(value => value !== null)
      if (!known.length) return `${line.name}: no figures in this time`
      const place = newest(line.v)
      const now = place < 0 ? "not known now" : `${digits(line.v[place], 1)}, up to ${this.ago(place)} old`
      return `${line.name}: ${now}, ${digits(Math.max(...known), 1)} at most`
    })
    if (chart.limit !== null) told.push(`an alert opens above ${digits(chart.limit, 1)}`)
    return `${chart.title}, ${chart.unit}. ${told.join("; ")}`
  }

  ticks(width) {
    const { from, to } = this.data
    const most = Math.max(2, Math.floor((width - LEFT) / 62))
    const step = STEPS.find(size => (to - from) / size <= most) ?? STEPS.at(-1)
    const found = []
    for (let ms = Math.ceil((from + IST_MS) / step) * step - IST_MS; ms < to; ms += step) {
      const share = (ms - from) / (to - from)
      if (share > 0.03 && share < 0.95) found.push([ms, step >= 86400000 ? dayName(ms) : indianTime(ms).slice(0, 5)])
    }
    return found
  }
}

const DAY_TIME = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Kolkata", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
})
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Kolkata", weekday: "short", day: "numeric" })

function dayTime(ms) { return DAY_TIME.format(ms) }
function dayName(ms) { return DAY.format(ms) }

// The place of the newest value, if it is one of the last three; -1 if not: what came before is no news.
function newest(values) {
  for (let place = values.length - 1; place >= Math.max(0, values.length - 3); place--) {
    if (values[place] !== null) return place
  }
  return -1
}

function atMost(seconds) {
  return seconds <= 99 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`
}

function runs(values) {
  const found = []
  let from = -1
  values.forEach((value, place) => {
    if (value !== null && from < 0) from = place
    if (value === null && from >= 0) { found.push([from, place]); from = -1 }
  })
  if (from >= 0) found.push([from, values.length])
  return found
}

function points(values, from, to, x, y) {
  const way = []
  for (let place = from; place < to; place++) way.push(`${x(place).toFixed(1)} ${y(values[place]).toFixed(1)}`)
  if (to - from === 1) way.push(`${(x(from) + 1.5).toFixed(1)} ${y(values[from]).toFixed(1)}`) // a lone point shows
  return way.join("L")
}

function niceTop(highest) {
  if (!(highest > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(highest))
  return [1, 2, 4, 5, 6, 8, 10].map(step => step * power).find(top => top >= highest * 1.001) ?? 10 * power
}

function axisText(value) {
  if (value >= 10000) return value >= 1e5 ? shortNumber(value).replace(".00", "") : digits(value, 0)
  return value >= 10 || value === 0 ? value.toFixed(0) : `${Number(value.toPrecision(2))}`
}

function rule(kind, x1, y1, x2, y2) { return shape("line", { class: kind, x1, y1, x2, y2 }) }
function path(kind, d) { return shape("path", { class: kind, d }) }
function words(told, x, y, anchor, kind = "") { return shape("text", { class: kind, x, y, "text-anchor": anchor }, told) }

export default component => viewOf(component, root => new HealthCharts(root))
