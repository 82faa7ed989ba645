// Helpers that stand before every component of this folder: numbers as in dashboard/formatting.py, small DOM tools.
// Text goes into the page by textContent only: names and symbols come from outside.

const MISSING = "–"
// In the page, not in this module: the module may be loaded again while its elements stay.
const views = (globalThis.deskViews ??= new WeakMap())
const numberFormats = new Map()

function digits(value, decimals, signed) {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  const id = `${decimals}${signed ? "s" : ""}`
  let format = numberFormats.get(id)
  if (!format) {
    format = new Intl.NumberFormat("en-IN", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      signDisplay: signed ? "exceptZero" : "negative",
    })
    numberFormats.set(id, format)
  }
  return format.format(value).replace("-", "\u2212")
}

function shortNumber(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  const size = Math.abs(value)
  if (size >= 1e12) return `${digits(value / 1e12, 2)}\u202fL Cr`
  if (size >= 1e7) return `${digits(value / 1e7, 2)}\u202fCr`
  if (size >= 1e5) return `${digits(value / 1e5, 2)}\u202fL`
  return digits(value, 0)
}

function ageText(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING
  const whole = Math.max(0, Math.floor(seconds))
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (whole >= size) return `${Math.floor(whole / size)} ${unit}`
  }
  return `${whole} s`
}

function durationText(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const days = Math.floor(whole / 86400)
  const hours = Math.floor(whole / 3600) % 24
  const minutes = Math.floor(whole / 60) % 60
  if (days) return `${days} d ${hours} h`
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`
  if (minutes) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`
  return `${whole} s`
}

const INDIA = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Kolkata", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
})

// Epoch milliseconds as the time of day in India: 14:05:33.
function indianTime(ms) {
  return INDIA.format(ms)
}

function direction(value) {
  return value > 0 ? "up" : value < 0 ? "down" : "flat"
}

function arrowOf(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return ""
  return value > 0 ? "▲" : value < 0 ? "▼" : "="
}

function make(tag, className, text) {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text !== undefined) node.textContent = text
  return node
}

// A symbol as a button: the frame of the page opens its instrument, with depth and the ways to chart and ticket.
function symbolChip(className, symbol, key) {
  const chip = make("button", className, symbol)
  chip.type = "button"
  nameChip(chip, symbol, key)
  chip.onclick = event => { event.stopPropagation(); showInstrument(chip.dataset.key) }
  return chip
}

function nameChip(chip, symbol, key) {
  setText(chip, symbol)
  chip.dataset.key = key
  setAttribute(chip, "aria-label", `${symbol}: depth, chart and ticket`)
}

function showInstrument(key) { globalThis.dispatchEvent(new CustomEvent("desk-instrument", { detail: key })) }

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

function setAttribute(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name)
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value)
}

const SVG = "http://www.w3.org/2000/svg"

// A node of a drawing; numbers are pixels.
function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, typeof value === "number" ? Math.round(value * 100) / 100 : value)
  if (text !== undefined) node.textContent = text
  return node
}

// Has `view` draw itself anew whenever `node` changes its size, until it is closed.
function redrawWith(view, node) {
  if (view.sizes) return
  view.sizes = new ResizeObserver(() => view.draw())
  view.sizes.observe(node)
}

function redrawNoMore(view) {
  view.sizes?.disconnect()
  view.sizes = null
}

// The day's path: `points` are 0..100 from the bottom, `base` is the previous close on the same scale or null.
function drawSpark(svg, points, base, toneClass) {
  const id = `${toneClass} ${base} ${points.join(" ")}`
  if (svg.dataset.id === id) return
  svg.dataset.id = id
  svg.setAttribute("viewBox", "0 0 100 100")
  svg.setAttribute("preserveAspectRatio", "none")
  svg.setAttribute("class", `spark ${toneClass}`)
  svg.replaceChildren()
  if (points.length < 2) return
  const step = 100 / (points.length - 1)
  const line = points.map((y, i) => `${i ? "L" : "M"}${(i * step).toFixed(1)} ${100 - y}`).join("")
  if (base !== null && base !== undefined) {
    const rule = document.createElementNS(SVG, "path")
    rule.setAttribute("class", "base")
    rule.setAttribute("d", `M0 ${100 - base}L100 ${100 - base}`)
    svg.append(rule)
  }
  const path = document.createElementNS(SVG, "path")
  path.setAttribute("d", line)
  svg.append(path)
}

function clearSpark(svg) {
  svg.replaceChildren()
  svg.dataset.id = ""
}

// Seconds of the desk's clock since `data` arrived: ages go on counting even when no message comes any more.
function sinceArrival(view) {
  return ((performance.now() - view.arrived) / 1000) * (view.data.speed ?? 1)
}

const utf8 = new TextDecoder()

// One view object per mounted component; it lives as long as its element.
function viewOf(component, build) {
  const root = component.parentElement
  let view = views.get(root)
  if (!view) {
    view = build(root)
    views.set(root, view)
  }
  const mount = (view.mount = {})
  view.component = component
  view.data = JSON.parse(utf8.decode(component.data))
  view.arrived = performance.now()
  view.receive()
  if (view.tick && !view.timer) view.timer = setInterval(() => view.tick(), 1000)
  return () => {
    if (view.mount !== mount) return // it was mounted again meanwhile, and lives on
    clearInterval(view.timer)
    view.timer = null
    view.close?.()
  }
}
