// The pictures of results: the curve with its drawdown and the results of days, the way from gross to net, and how
// results are spread. Figures come in rupees; what plotly would write in thousands and millions is written here.

const PLAIN = { displayModeBar: false, doubleClick: "reset", responsive: false, showAxisDragHandles: false, scrollZoom: false }
const DAY = 86400000
const LATEST_MS = 1500 // by then a picture out of sight is drawn, however busy the browser is
const LEAST_BAR = 1.5 // pixels: narrower bars are put together, by weeks, then by months
const KINDS = { curve: curvePicture, way: wayPicture, spread: spreadPicture }

// Round places for an axis of money, in words of lakh and crore.
function moneyTicks(low, high, most) {
  const raw = (high - low) / Math.max(1, most)
  if (!(raw > 0)) return { at: [low], text: [shortRupees(low)] }
  const size = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map(one => one * size).find(one => one >= raw)
  const at = []
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) at.push(Number((n * step).toPrecision(12)))
  return { at, text: at.map(value => axisMoney(value, step)) }
}

function axisMoney(value, step) {
  const size = Math.abs(value)
  const sign = value < 0 ? "\u2212" : ""
  for (const [unit, name] of [[1e7, "\u202fCr"], [1e5, "\u202fL"], [1e3, "\u202fk"]]) {
    if (size < unit) continue
    const places = [0, 1, 2, 3].find(n => Math.abs((step / unit) * 10 ** n - Math.round((step / unit) * 10 ** n)) < 1e-9) ?? 3
    return `${sign}₹${digits(size / unit, places)}${name}`
  }
  return `${sign}₹${digits(size, step < 1 ? 2 : 0)}`
}

const INK = {
  axis: colours => ({
    automargin: false, zeroline: false, showline: false, ticks: "", gridcolor: colours.grid, fixedrange: true,
    tickfont: { color: colours.muted, size: 11 },
  }),
}

function frameOf(colours, width, height, margin) {
  return {
    width, height, margin: { pad: 0, ...margin }, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: colours.font, color: colours.text, size: 11 }, bargap: 0.25,
    hoverlabel: { bgcolor: colours.paper, bordercolor: colours.guide, font: { family: colours.font, color: colours.text, size: 12 }, align: "left" },
  }
}

// -- the curve ---------------------------------------------------------------------------------------------------------

// Days put together where each would be narrower than a line: [start, net, days, text] of each bar.
function barsOf(days, net, pixels) {
  const span = (Date.parse(days[days.length - 1]) - Date.parse(days[0])) / DAY + 1
  const each = pixels / span
  const unit = each >= LEAST_BAR ? "day" : each * 7 >= LEAST_BAR ? "week" : "month"
  const bars = new Map()
  days.forEach((iso, i) => {
    const at = new Date(`${iso}T00:00:00Z`)
    if (unit === "week") at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7))
    if (unit === "month") at.setUTCDate(1)
    const start = at.toISOString().slice(0, 10)
    const bar = bars.get(start) ?? { start, net: 0, days: 0 }
    bar.net += net[i]
    bar.days += 1
    bars.set(start, bar)
  })
  return { unit, bars: [...bars.values()] }
}

function curvePicture(chart) {
  const { data, colours, width } = chart
  const narrow = width < 520
  const margin = { l: 8, r: narrow ? 50 : 60, t: 18, b: 24 }
  const height = narrow ? 400 : 440
  const inside = width - margin.l - margin.r
  const { days, net, total, below } = data
  const seen = chart.seen ?? [days[0], days[days.length - 1]]
  const from = days.findIndex(day => day >= seen[0].slice(0, 10))
  const to = days.findLastIndex(day => day <= seen[1].slice(0, 10))
  const [start, end] = from < 0 || to < from ? [0, days.length - 1] : [from, to]
  const { unit, bars } = barsOf(days.slice(start, end + 1), net.slice(start, end + 1), inside)
  const hover = days.map((iso, i) =>
    `<b>${dayText(iso)}</b><br>Net that day ${rupeeText(net[i], 2, true)}<br>Net so far ${rupeeText(total[i], 2, true)}` +
    (below[i] < 0 ? `<br>Below the peak ${rupeeText(below[i])}` : "") + `<br>${digits(data.trades[i], 0)} trade${data.trades[i] === 1 ? "" : "s"}`)
  const many = days.length > 1
  const line = { type: "scatter", mode: many ? "lines" : "markers", x: days }
  const traces = [
    { ...line, y: total, yaxis: "y", line: { color: colours.lines[0], width: 2, shape: "linear" }, marker: { color: colours.lines[0], size: 8 },
      fill: many ? "tozeroy" : "none", fillcolor: colours.fade(colours.lines[0], 0.08), customdata: hover, hovertemplate: "%{customdata}<extra></extra>" },
    { ...line, y: below, yaxis: "y2", line: { color: colours.down, width: 1 }, marker: { color: colours.down, size: 6 },
      fill: many ? "tozeroy" : "none", fillcolor: colours.fade(colours.down, 0.2), hoverinfo: "skip" },
    { type: "bar", x: bars.map(bar => bar.start), y: bars.map(bar => bar.net), yaxis: "y3", width: { day: 0.74, week: 5.4, month: 24 }[unit] * DAY,
      offset: unit === "day" ? -0.37 * DAY : 0, marker: { color: bars.map(bar => (bar.net < 0 ? colours.down : colours.up)), line: { width: 0 } },
      hoverinfo: "skip" },
  ]
  const areas = { y: [0.47, 1], y2: [0.27, 0.42], y3: [0, 0.22] }
  const spans = {
    y: spanOf([0, ...total.slice(start, end + 1)]), y2: spanOf([0, ...below.slice(start, end + 1)], 0.06),
    y3: spanOf([0, ...bars.map(bar => bar.net)]),
  }
  const layout = {
    ...frameOf(colours, width, height, margin), hovermode: "x", dragmode: "zoom", datarevision: chart.revision, uirevision: data.id,
    xaxis: {
      ...INK.axis(colours), type: "date", fixedrange: narrow, showgrid: false, anchor: "y3", range: paddedDays(seen[0], seen[1]), tickformatstops: TIME_STOPS,
      nticks: Math.max(3, Math.floor(inside / 90)), hoverformat: " ", showspikes: true, spikemode: "across", spikethickness: 1, spikecolor: colours.guide, spikedash: "dot", spikesnap: "data",
    },
    shapes: Object.keys(areas).map(axis => ({ type: "line", xref: "paper", x0: 0, x1: 1, yref: axis, y0: 0, y1: 0, line: { color: colours.guide, width: 1 }, layer: "below" })),
    annotations: [
      titleOf("Net result, running sum", areas.y[1], colours), titleOf("Drawdown from the highest point", areas.y2[1], colours),
      titleOf(`Net result by ${unit}`, areas.y3[1], colours),
    ],
  }
  for (const [axis, domain] of Object.entries(areas)) {
    const ticks = moneyTicks(spans[axis][0], spans[axis][1], Math.max(2, ((domain[1] - domain[0]) * height) / (axis === "y" ? 44 : 30)))
    layout[layoutName(axis)] = { ...INK.axis(colours), side: "right", domain, range: spans[axis], tickmode: "array", tickvals: ticks.at, ticktext: ticks.text }
  }
  return { traces, layout }
}

const TIME_STOPS = [
  { dtickrange: [null, DAY * 20], value: "%-d %b" }, { dtickrange: [DAY * 20, "M11"], value: "%b %Y" }, { dtickrange: ["M11", null], value: "%Y" },
]

function layoutName(axis) {
  return axis.replace("y", "yaxis")
}

function spanOf(values, share = 0.1) {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) { if (value < low) low = value; if (value > high) high = value }
  const room = (high - low) * share || Math.max(1, Math.abs(high) * 0.1)
  return [low < 0 ? low - room : low, high > 0 ? high + room : high <= low ? high + room : high]
}

function paddedDays(first, last) {
  const [start, end] = [Date.parse(first), Date.parse(last)]
  const room = Math.max(DAY * 0.7, (end - start) * 0.012)
  return [new Date(start - room).toISOString(), new Date(end + room).toISOString()]
}

function titleOf(text, y, colours) {
  return { text, xref: "paper", x: 0, y, yref: "paper", xanchor: "left", yanchor: "bottom", showarrow: false, font: { color: colours.muted, size: 11 } }
}

// -- from gross to net -------------------------------------------------------------------------------------------------

// Steps across, one a line, so that names are readable on a phone. Where charges are small beside the whole, the axis
// begins close to them, and says so: else each step would be a hairline.
function wayPicture(chart) {
  const { data, colours, width } = chart
  const { steps } = data
  const names = steps.map(step => step.name)
  const margin = { l: Math.min(132, width * 0.34), r: 96, t: 4, b: 24 }
  const height = steps.length * 26 + margin.t + margin.b
  let running = 0
  const bars = steps.map(step => {
    if (step.whole) { running = step.value; return [Math.min(0, step.value), Math.max(0, step.value)] }
    const before = running
    running += step.value
    return [Math.min(before, running), Math.max(before, running)]
  })
  const ends = bars.flat()
  let [low, high] = [Math.min(...ends), Math.max(...ends)]
  const inner = steps.flatMap((step, i) => (step.whole ? [step.value] : bars[i]))
  const [least, most] = [Math.min(...inner), Math.max(...inner)]
  const cut = least > 0 && (most - least) < most * 0.3 ? least - (most - least) * 0.5 : most < 0 && (most - least) < -least * 0.3 ? most + (most - least) * 0.5 : null
  if (cut !== null) { if (least > 0) low = Math.max(0, cut); else high = Math.min(0, cut) }
  const room = (high - low) * 0.04 || 1
  const range = [low - (low < 0 || cut === null ? room : 0), high + room]
  const clipped = bars.map(([from, to]) => [Math.max(from, range[0]), Math.min(to, range[1])])
  const tone = (step) => (step.whole ? (step.value < 0 ? colours.down : colours.up) : step.value < 0 ? colours.fade(colours.lines[0], 0.85) : colours.muted)
  const traces = [{
    type: "bar", orientation: "h", y: names, base: clipped.map(one => one[0]), x: clipped.map(one => Math.max(one[1] - one[0], 0)), width: 0.62,
    marker: { color: steps.map(tone), line: { width: 0 } }, customdata: steps.map(step => step.hover), hovertemplate: "%{customdata}<extra></extra>",
  }]
  const ticks = moneyTicks(range[0], range[1], Math.max(2, (width - margin.l - margin.r) / 82))
  const layout = {
    ...frameOf(colours, width, height, margin), hovermode: "closest", dragmode: false, datarevision: chart.revision, uirevision: data.id,
    yaxis: { ...INK.axis(colours), autorange: "reversed", showgrid: false, tickfont: { color: colours.text, size: 12 }, ticklabelstandoff: 6 },
    xaxis: { ...INK.axis(colours), range, tickmode: "array", tickvals: ticks.at, ticktext: ticks.text },
    shapes: cut === null && range[0] <= 0 && range[1] >= 0 ? [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: 0, x1: 0, line: { color: colours.guide, width: 1 }, layer: "below" }] : [],
    annotations: steps.map(step => ({
      text: step.whole ? `<b>${rupeeText(step.value)}</b>` : rupeeText(step.value), xref: "paper", x: 1, xshift: margin.r - 2, y: step.name, xanchor: "right", yanchor: "middle", showarrow: false,
      font: { color: step.whole ? (step.value < 0 ? colours.down : colours.up) : colours.text, size: 12 },
    })),
  }
  setText(chart.foot, cut === null ? "" : `The axis does not begin at zero: it begins at ${shortRupees(least > 0 ? range[0] : range[1])}, so that charges can be seen.`)
  return { traces, layout }
}

// -- how results are spread --------------------------------------------------------------------------------------------

function spreadPicture(chart) {
  const { data, colours, width } = chart
  const { edges, counts, names } = data
  const margin = { l: 8, r: 44, t: 12, b: 40 }
  const height = 300
  const places = counts.map((_, i) => i)
  const traces = [{
    type: "bar", x: places, y: counts, width: 0.92, marker: { color: counts.map((_, i) => (edges[i] < 0 ? colours.down : colours.up)), line: { width: 0 } },
    customdata: counts.map((count, i) => `<b>${digits(count, 0)} trade${count === 1 ? "" : "s"}</b><br>${names[i]}`), hovertemplate: "%{customdata}<extra></extra>",
  }]
  const every = Math.ceil((edges.length) / Math.max(3, (width - margin.l - margin.r) / 78))
  const zero = edges.indexOf(0)
  const marked = edges.map((_, i) => i).filter(i => i > 0 && i < edges.length - 1 && (i - Math.max(zero, 0)) % every === 0)
  const most = Math.max(1, ...counts)
  const step = niceCount(most / 4)
  const levels = []
  for (let n = 0; n <= most * 1.05; n += step) levels.push(n)
  const layout = {
    ...frameOf(colours, width, height, margin), bargap: 0, hovermode: "closest", dragmode: false, datarevision: chart.revision, uirevision: data.id,
    xaxis: { ...INK.axis(colours), showgrid: false, range: [-0.6, counts.length - 0.4], tickmode: "array", tickvals: marked.map(i => i - 0.5), ticktext: marked.map(i => shortRupees(edges[i])), title: { text: "Net result of a trade", font: { color: colours.muted, size: 11 }, standoff: 6 } },
    yaxis: { ...INK.axis(colours), side: "right", range: [0, most * 1.08], tickmode: "array", tickvals: levels, ticktext: levels.map(n => digits(n, 0)) },
    shapes: zero > 0 && zero < edges.length - 1 ? [{ type: "line", yref: "paper", y0: 0, y1: 1, x0: zero - 0.5, x1: zero - 0.5, line: { color: colours.guide, width: 1, dash: "dot" } }] : [],
  }
  return { traces, layout }
}

function niceCount(raw) {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, raw)))
  return Math.max(1, [1, 2, 5, 10].map(one => one * size).find(one => one >= raw))
}

// ----------------------------------------------------------------------------------------------------------------------

class PnlChart {
  constructor(root) {
    this.root = root.querySelector(".root")
    this.stage = root.querySelector(".stage")
    this.plot = root.querySelector(".plot")
    this.cover = root.querySelector(".cover")
    this.foot = root.querySelector(".foot")
    this.revision = 0
    this.sizes = new ResizeObserver(() => { if (this.stage.clientWidth !== this.width) this.redraw() })
    this.sizes.observe(this.stage)
  }

  receive() {
    const told = JSON.stringify(this.data)
    this.sizes.observe(this.stage)
    if (told === this.drawn) return
    this.drawn = told
    if (this.data.id !== this.id) this.seen = null
    this.id = this.data.id
    setAttribute(this.stage, "aria-label", this.data.label)
    this.stage.style.minHeight = `${this.data.height}px`
    loadPlotly(this.data.asset).then(library => { this.library = library; this.redraw() }, error => {
      this.cover.hidden = false
      setText(this.cover, `The chart cannot be drawn: ${error.message}. Load the page again.`)
    })
  }

  // What is in sight is drawn with the next frame; the rest when the browser has nothing else to do.
  redraw() {
    if (this.waiting) return
    this.waiting = true
    const draw = () => { this.waiting = false; this.draw() }
    const { top, bottom } = this.stage.getBoundingClientRect()
    const inSight = top < globalThis.innerHeight && bottom > 0
    if (inSight || !globalThis.requestIdleCallback) requestAnimationFrame(draw)
    else requestIdleCallback(draw, { timeout: LATEST_MS })
  }

  draw() {
    if (!this.library || !this.root.isConnected || !this.stage.clientWidth) return
    this.width = this.stage.clientWidth
    this.colours = readColours(this.root)
    this.revision += 1
    const { traces, layout } = KINDS[this.data.kind](this)
    this.library.react(this.plot, traces, layout, PLAIN)
    adoptStyles(this.plot)
    this.stage.dataset.drawn = this.revision
    this.stage.style.minHeight = `${layout.height}px`
    if (this.listening) return
    this.listening = true
    this.plot.on("plotly_relayout", change => this.looked(change))
    this.plot.on("plotly_click", event => this.clicked(event))
  }

  looked(change) {
    if (this.data.kind !== "curve") return
    const range = change["xaxis.range"] ?? (change["xaxis.range[0]"] ? [change["xaxis.range[0]"], change["xaxis.range[1]"]] : null)
    if (range) this.seen = range.map(one => String(one).replace(" ", "T"))
    else if (change["xaxis.autorange"]) this.seen = null
    else return
    this.redraw()
  }

  clicked(event) {
    const day = this.data.kind === "curve" && event.points[0]?.x
    if (day && event.points[0].curveNumber === 0) this.component.setTriggerValue("day", String(day).slice(0, 10))
  }

  tick() {
    if (this.colours && colourSignature(this.root) !== this.colours.signature) this.redraw()
  }

  close() {
    this.sizes.disconnect()
  }
}

export default function (component) {
  return viewOf(component, root => new PnlChart(root))
}
