// What plotly is told: traces and layout of one chart. No state here: everything comes in.
// Closed bars are traces, which cost a redraw; what a price moves (the bar that forms, the line of the last price) are
// shapes, which plotly moves in a few milliseconds while traces, zoom and pan stay as they are.

const MARGIN = { left: 6, right: 68, top: 6, bottom: 24 }
const HALF = 0.36 // half the width of a candle, in bars
const GAP = 0.022 // between two areas, of the height
const TAG_PIXELS = 15 // from the middle of the last price's tag to that of a label which it does not touch
const AREA_HEIGHT = 92 // of an area below the prices, in pixels

// Vertical areas from top to bottom: prices, volume, then one for each indicator that has its own figures.
function areasOf(data, height) {
  const below = [...(data.has_volume ? ["volume"] : []), ...data.areas.map(area => area.id)]
  const each = Math.min(0.22, AREA_HEIGHT / height)
  const areas = {}
  let foot = 0
  for (const id of [...below].reverse()) {
    areas[id] = [foot, foot + each - GAP]
    foot += each
  }
  areas.price = [foot, 1]
  return areas
}

function axisNames(data) {
  const names = { price: "y" }
  const below = [...(data.has_volume ? ["volume"] : []), ...data.areas.map(area => area.id)]
  below.forEach((id, place) => { names[id] = `y${place + 2}` })
  return names
}

function layoutKey(axis) {
  return axis.replace("y", "yaxis")
}

function tracesOf(chart) {
  const { data, scale, bars, colours, names } = chart
  const traces = scale.kind === "percent" ? comparedTraces(chart) : [candleTrace(chart)]
  if (data.has_volume) {
    const up = bars.close.map((close, i) => close >= bars.open[i])
    traces.push({
      type: "bar", x: bars.place, y: bars.volume, yaxis: names.volume, width: columnWidth(chart),
      marker: { color: up.map(rose => (rose ? colours.upSoft : colours.downSoft)), line: { width: 0 } },
    })
  }
  for (const line of data.lines) {
    const onPrice = line.area === "price"
    if (onPrice && scale.kind === "percent") continue
    traces.push(indicatorTrace(line, chart, onPrice))
  }
  traces.push(...markTraces(chart))
  return traces.map(trace => ({ ...trace, hoverinfo: "skip", showlegend: false, cliponaxis: true }))
}

// Columns of about two pixels stand shoulder to shoulder: with gaps some of them would vanish.
function columnWidth({ bars, view, width }) {
  const each = ((width - MARGIN.left - MARGIN.right) / (view[1] - view[0])) * bars.step
  return (each < 2.2 ? 1 : 2 * HALF) * bars.step
}

function candleTrace({ bars, scale, colours }) {
  const heights = values => values.map(value => scale.to(value))
  return {
    type: "candlestick", x: bars.place, yaxis: "y", whiskerwidth: 0,
    open: heights(bars.open), high: heights(bars.high), low: heights(bars.low), close: heights(bars.close),
    increasing: { line: { color: colours.up, width: 1 }, fillcolor: colours.paper },
    decreasing: { line: { color: colours.down, width: 1 }, fillcolor: colours.down },
  }
}

function comparedTraces({ data, bars, scale, colours, bases, forming, formingPlace }) {
  const [places, closes] = forming ? [[...bars.place, formingPlace], [...bars.close, forming.close]] : [bars.place, bars.close]
  const own = {
    name: data.symbol, type: "scatter", mode: "lines", x: places, y: closes.map(value => scale.to(value, bases.own)), yaxis: "y",
    line: { color: colours.text, width: 2 },
  }
  const others = data.compared.map((one, place) => ({
    name: one.symbol, type: "scatter", mode: "lines", x: bars.sent, yaxis: "y", connectgaps: false,
    y: one.close.map(value => scale.to(value, bases.others[place])),
    line: { color: colours.lines[place % colours.lines.length], width: 1.5 },
  }))
  return [...others, own]
}

// A line that begins anew with each day is not drawn from one day to the next.
function broken(places, values, bars, roll) {
  const dayOf = i => Math.floor((bars.time[i] + INDIA_MS - roll) / 86400000)
  const x = [], y = []
  for (let i = 0; i < places.length; i += 1) {
    if (i > 0 && i < bars.time.length && dayOf(i) !== dayOf(i - 1)) { x.push(places[i]); y.push(null) }
    x.push(places[i])
    y.push(values[i])
  }
  return { x, y }
}

function indicatorTrace(line, chart, onPrice) {
  const { bars, scale, colours, names } = chart
  const values = onPrice ? line.values.map(value => scale.to(value)) : line.values
  const colour = toneOf(line, colours)
  const points = line.anchored ? broken(bars.sent, values, bars, chart.data.roll) : { x: bars.sent, y: values }
  const common = { ...points, name: line.group, yaxis: names[line.area] }
  if (line.kind === "columns") {
    return {
      ...common, type: "bar", width: columnWidth(chart),
      marker: { color: values.map(value => (value >= 0 ? colours.upSoft : colours.downSoft)), line: { width: 0 } },
    }
  }
  return {
    ...common, type: "scatter", mode: "lines", connectgaps: false,
    line: { color: colour, width: line.thin ? 1 : 1.5, dash: line.dash ?? "solid" },
    ...(line.kind === "to-next" ? { fill: "tonexty", fillcolor: colours.fade(colour, 0.07) } : {}),
  }
}

function toneOf(line, colours) {
  if (line.tone === "up" || line.tone === "down") return colours[line.tone]
  return colours.lines[(line.colour ?? 0) % colours.lines.length]
}

function shapesOf(chart) {
  const { data, scale, colours, names, areas, forming, formingPlace, bars, over, last, old } = chart
  const shapes = []
  const down = { xref: "x", yref: "paper", y0: 0, y1: 1 }
  if (data.provisional !== null) {
    shapes.push({
      type: "rect", ...down, x0: data.provisional - 0.5, x1: Math.max(formingPlace + 0.5, data.provisional + 0.5),
      fillcolor: colours.provisional, line: { width: 0 }, layer: "below",
    })
  }
  for (const hole of data.holes) {
    shapes.push({ type: "line", ...down, x0: hole.at, x1: hole.at, line: { color: colours.hole, width: 1, dash: "dash" } })
  }
  for (const area of data.areas) {
    for (const guide of area.guides) {
      shapes.push({
        type: "line", xref: "paper", x0: 0, x1: 1, yref: names[area.id], y0: guide, y1: guide,
        line: { color: colours.guide, width: 1, dash: "dot" }, layer: "below",
      })
    }
  }
  shapes.push(...orderShapes(chart))
  if (last !== null) {
    const at = scale.to(last.price, chart.bases?.own)
    shapes.push({
      type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: at, y1: at,
      line: { color: old ? colours.muted : last.rose ? colours.up : colours.down, width: 1, dash: "dot" },
    })
  }
  if (forming && scale.kind !== "percent") {
    const rose = forming.close >= forming.open
    const [x0, x1] = [formingPlace - HALF * bars.step, formingPlace + HALF * bars.step]
    const colour = old ? colours.muted : rose ? colours.up : colours.down
    const [open, high, low, close] = ["open", "high", "low", "close"].map(name => scale.to(forming[name]))
    const line = { color: colour, width: 1.5, dash: over ? "solid" : "dot" }
    const wick = { type: "line", xref: "x", yref: "y", x0: formingPlace, x1: formingPlace, line }
    shapes.push(
      { ...wick, y0: Math.max(open, close), y1: high },
      { ...wick, y0: low, y1: Math.min(open, close) },
      { type: "rect", xref: "x", yref: "y", x0, x1, y0: open, y1: close, line, fillcolor: rose ? colours.paper : colour },
    )
    if (areas.volume) {
      shapes.push({
        type: "rect", xref: "x", yref: names.volume, x0, x1, y0: 0, y1: forming.volume ?? 0,
        fillcolor: old ? colours.guide : rose ? colours.upSoft : colours.downSoft, line: { ...line, width: 1 },
      })
    }
  }
  return shapes
}

function layoutOf(chart) {
  const { data, view, scale, colours, names, areas, ranges, width, height, revision } = chart
  const plain = {
    automargin: false, zeroline: false, showline: false, ticks: "", fixedrange: true, autorange: false,
    gridcolor: colours.grid, tickfont: { color: colours.muted, size: 11 }, side: "right",
  }
  const across = Math.max(1, width - MARGIN.left - MARGIN.right)
  const apart = (view[1] - view[0]) / Math.max(2, across / (data.unit === "minutes" || data.unit === "hours" ? 62 : 70))
  const time = timeTicks(chart.bars.time, chart.bars.place, view[0], view[1], apart)
  const layout = {
    width, height, datarevision: revision, uirevision: data.id, hovermode: false, dragmode: "pan", showlegend: false,
    margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom, pad: 0 }, bargap: 0,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: colours.font, color: colours.text, size: 11 },
    xaxis: {
      ...plain, side: "bottom", fixedrange: false, range: [...view], anchor: "free", position: 0,
      rangeslider: { visible: false }, tickmode: "array", tickvals: time.at, ticktext: time.text, showspikes: false,
    },
    shapes: shapesOf(chart), annotations: orderLabels(chart),
  }
  for (const [id, axis] of Object.entries(names)) {
    const range = ranges[id]
    const tall = (areas[id][1] - areas[id][0]) * (height - MARGIN.top - MARGIN.bottom)
    const marks =
      id === "price" ? scale.ticks(range[0], range[1], tall / 48, data.decimals)
      : id === "volume" ? volumeTicks(range[1])
      : areaTicks(data.areas.find(area => area.id === id), range, tall)
    const clear = id === "price" && chart.last !== null
      ? clearOf(marks, scale.to(chart.last.price, chart.bases?.own), (TAG_PIXELS * (range[1] - range[0])) / tall)
      : marks
    layout[layoutKey(axis)] = {
      ...plain, domain: areas[id], range, tickmode: "array", tickvals: clear.at, ticktext: clear.text,
      showgrid: id === "price",
    }
  }
  return layout
}

function volumeTicks(most) {
  const step = niceStep(Math.max(1, most / 2.2))
  return { at: [step], text: [shortNumber(step)] }
}

function areaTicks(area, range, tall) {
  if (area.guides.length > 1) return { at: area.guides, text: area.guides.map(guide => digits(guide, 0)) }
  const step = niceStep((range[1] - range[0]) / Math.max(2, tall / 30))
  const places = Math.max(0, Math.min(4, Math.ceil(-Math.log10(step)) + (String(step).includes("25") ? 1 : 0)))
  const values = []
  for (let n = Math.ceil(range[0] / step); n * step <= range[1]; n += 1) values.push(Number((n * step).toPrecision(12)))
  return { at: values, text: values.map(value => digits(value, places)) }
}

// The figures between the two edges of the view, as the range of each area.
function rangesOf(chart) {
  const { data, view, scale, bars, names, forming, formingPlace, bases } = chart
  const inside = place => place >= view[0] - 0.5 && place <= view[1] + 0.5
  const spans = {}
  const take = (id, value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return
    const span = (spans[id] ??= [Infinity, -Infinity])
    if (value < span[0]) span[0] = value
    if (value > span[1]) span[1] = value
  }
  const percent = scale.kind === "percent"
  for (let i = 0; i < bars.place.length; i += 1) {
    if (!inside(bars.place[i])) continue
    if (percent) take("price", scale.to(bars.close[i], bases.own))
    else { take("price", scale.to(bars.high[i])); take("price", scale.to(bars.low[i])) }
    take("volume", bars.volume[i])
  }
  for (let i = 0; i < bars.sent.length; i += 1) {
    if (!inside(bars.sent[i])) continue
    if (percent) data.compared.forEach((one, n) => take("price", scale.to(one.close[i], bases.others[n])))
    for (const line of data.lines) {
      if (line.area === "price") { if (!percent) take("price", scale.to(line.values[i])) }
      else take(line.area, line.values[i])
    }
  }
  if (forming && inside(formingPlace)) {
    for (const name of percent ? ["close"] : ["high", "low"]) take("price", scale.to(forming[name], bases?.own))
    take("volume", forming.volume)
  }
  const ranges = {}
  for (const id of Object.keys(names)) {
    const area = data.areas.find(one => one.id === id)
    const [low, high] = spans[id] ?? [0, 1]
    const room = (high - low) * 0.07 || Math.abs(high) * 0.002 || 1
    ranges[id] = area?.range ?? (id === "volume" ? [0, (high || 1) * 1.12] : [low - room, high + room])
  }
  return ranges
}
