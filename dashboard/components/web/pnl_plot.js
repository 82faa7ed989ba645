// What the pictures of results are drawn with: scales, and the places of an axis of money or of days. Figures
// come in rupees and are written in words of lakh and crore.

const DAY = 86400000
const LEAST_BAR = 1.5 // pixels: narrower bars are put together, by weeks, then by months
const LINE_OF_TEXT = 12 // pixels
const STEPS_OF_DAYS = [
  ["day", 1], ["day", 2], ["day", 7], ["day", 14], ["month", 1], ["month", 2], ["month", 3], ["month", 6], ["month", 12], ["month", 24],
  ["month", 60], ["month", 120], ["month", 240],
]

// `at`: the pixel of a value.
function scaleOf([low, high], from, to) {
  return { at: value => from + ((value - low) / (high - low)) * (to - from) }
}

// A path through points, and the same closed by a line at `base`.
function lineThrough(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")
}

function areaUnder(points, base) {
  return `${lineThrough(points)}L${points[points.length - 1][0].toFixed(1)} ${base.toFixed(1)}L${points[0][0].toFixed(1)} ${base.toFixed(1)}Z`
}

// Round places for an axis of money.
function moneyTicks(low, high, most) {
  const raw = (high - low) / Math.max(1, most)
  if (!(raw > 0)) return [[low, shortRupees(low)]]
  const size = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map(one => one * size).find(one => one >= raw)
  const at = []
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) at.push(Number((n * step).toPrecision(12)))
  return at.map(value => [value, axisMoney(value, step)])
}

// Zero, the greatest and the smallest: round places would leave a low axis with zero alone. The farther of two that would
// stand on each other goes first.
function outerTicks(values, up) {
  const [low, high] = values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [0, 0])
  const kept = [0]
  for (const value of -low > high ? [low, high] : [high, low]) {
    if (kept.every(one => Math.abs(up.at(one) - up.at(value)) >= LINE_OF_TEXT)) kept.push(value)
  }
  return kept.map(value => [value, value && Math.abs(value) < 1 ? rupeeText(value) : shortRupees(value)])
}

function axisMoney(value, step) {
  const size = Math.abs(value)
  const sign = value < 0 ? "\u2212" : ""
  for (const [unit, name] of [[1e7, "\u202fCr"], [1e5, "\u202fL"]]) {
    if (size < unit) continue
    const places = [0, 1, 2, 3].find(n => Math.abs((step / unit) * 10 ** n - Math.round((step / unit) * 10 ** n)) < 1e-9) ?? 3
    return `${sign}₹${digits(size / unit, places)}${name}`
  }
  return `${sign}₹${digits(size, step < 1 ? 2 : 0)}`
}

// Round places for an axis of days: Mondays, first days of months, of years. At most so many.
function dayTicks(low, high, most) {
  const length = { day: DAY, month: 30.4 * DAY }
  const [unit, step] = STEPS_OF_DAYS.find(([unit, step]) => (high - low) / (length[unit] * step) <= most) ?? STEPS_OF_DAYS.at(-1)
  const ticks = []
  if (unit === "day") {
    const before = 3 // days from a Monday to the first of all days
    for (let n = Math.ceil((low / DAY + before) / step); (n * step - before) * DAY <= high; n += 1) {
      const at = new Date((n * step - before) * DAY)
      ticks.push([at.getTime(), `${at.getUTCDate()} ${MONTH_NAMES[at.getUTCMonth()]}`])
    }
    return ticks
  }
  const first = new Date(low)
  for (let n = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / step) * step; ; n += step) {
    const at = Date.UTC(Math.floor(n / 12), n % 12, 1)
    if (at > high) return ticks
    if (at >= low) ticks.push([at, step < 12 ? `${MONTH_NAMES[n % 12]} ${Math.floor(n / 12)}` : String(Math.floor(n / 12))])
  }
}

function niceCount(raw) {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, raw)))
  return Math.max(1, [1, 2, 5, 10].map(one => one * size).find(one => one >= raw))
}

// The lowest and highest of them with room beyond, but never across zero.
function spanOf(values, share = 0.1) {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) { if (value < low) low = value; if (value > high) high = value }
  const room = (high - low) * share || Math.max(1, Math.abs(high) * 0.1)
  return [low < 0 ? low - room : low, high > 0 ? high + room : high <= low ? high + room : high]
}

function paddedDays(first, last) {
  const room = Math.max(DAY * 0.7, (last - first) * 0.012)
  return [first - room, last + room]
}

// Days put together where each would be narrower than a line; summed in whole paise, as no sum of rupees is exact.
function barsOf(days, net, pixels) {
  const span = (Date.parse(days[days.length - 1]) - Date.parse(days[0])) / DAY + 1
  const each = pixels / span
  const unit = each >= LEAST_BAR ? "day" : each * 7 >= LEAST_BAR ? "week" : "month"
  const bars = new Map()
  days.forEach((iso, i) => {
    const at = new Date(`${iso}T00:00:00Z`)
    if (unit === "week") at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7))
    if (unit === "month") at.setUTCDate(1)
    bars.set(at.getTime(), (bars.get(at.getTime()) ?? 0) + Math.round(net[i] * 100))
  })
  return { unit, bars: [...bars].map(([at, paise]) => [at, paise / 100]) }
}
