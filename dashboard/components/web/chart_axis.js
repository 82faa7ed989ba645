// Axes of the chart: which bars get a label of time, which prices a line, and how a price becomes a height.
// Bars stand side by side by their number, so nights, weekends and holidays take no room, and a session of an hour on
// a holiday takes as much as it has bars. Times are Indian: the offset is fixed, so UTC getters on a shifted instant do.

const INDIA_MS = 5.5 * 3600 * 1000
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const YEAR = 8, MONTH = 7, DAY_RANK = 6
const STEPS_OF_DAY = [[240, 5], [60, 4], [30, 3], [15, 2], [5, 1]] // minutes of the day, rank

function local(ms) {
  return new Date(ms + INDIA_MS)
}

function two(number) {
  return String(number).padStart(2, "0")
}

function clockText(ms) {
  const at = local(ms)
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
}

function dayText(ms) {
  const at = local(ms)
  return `${WEEKDAYS[at.getUTCDay()]} ${two(at.getUTCDate())} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
}

// When a bar began, as long as its interval needs it.
function momentText(ms, unit) {
  if (unit === "months") return `${MONTHS[local(ms).getUTCMonth()]} ${local(ms).getUTCFullYear()}`
  if (unit === "weeks") return `Week of ${dayText(ms)}`
  return unit === "days" ? dayText(ms) : `${dayText(ms)}, ${clockText(ms)}`
}

// How much begins with the bar at `ms`, after the one at `before`: a year more than a month, a month more than a day.
function rankOf(before, ms) {
  if (before === undefined) return DAY_RANK
  const [a, b] = [local(before), local(ms)]
  if (a.getUTCFullYear() !== b.getUTCFullYear()) return YEAR
  if (a.getUTCMonth() !== b.getUTCMonth()) return MONTH
  if (a.getUTCDate() !== b.getUTCDate()) return DAY_RANK
  const [from, to] = [a, b].map(at => at.getUTCHours() * 60 + at.getUTCMinutes())
  for (const [step, rank] of STEPS_OF_DAY) if (Math.floor(from / step) !== Math.floor(to / step)) return rank
  return 0
}

function labelOf(ms, rank) {
  const at = local(ms)
  if (rank === YEAR) return String(at.getUTCFullYear())
  if (rank === MONTH) return MONTHS[at.getUTCMonth()]
  if (rank === DAY_RANK) return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
  const step = STEPS_OF_DAY.find(one => one[1] === rank)?.[0]
  if (!step) return clockText(ms)
  const minutes = at.getUTCHours() * 60 + at.getUTCMinutes() // several bars in one may begin a little after the hour
  const full = Math.floor(minutes / step) * step
  return `${two(Math.floor(full / 60))}:${two(full % 60)}`
}

// Places and texts of the labels between `from` and `to` (numbers of bars): what begins most comes first, and nothing
// comes nearer to another than `apart` bars. `times` and `places` are those of the bars drawn.
function timeTicks(times, places, from, to, apart) {
  const found = []
  for (let i = 0; i < times.length; i += 1) {
    if (places[i] < from || places[i] > to) continue
    found.push({ at: places[i], ms: times[i], rank: rankOf(times[i - 1], times[i]) })
  }
  found.sort((a, b) => b.rank - a.rank || a.at - b.at)
  const kept = []
  for (const tick of found) {
    if (kept.length >= 40) break
    if (kept.every(other => Math.abs(other.at - tick.at) >= apart)) kept.push(tick)
  }
  kept.sort((a, b) => a.at - b.at)
  return { at: kept.map(tick => tick.at), text: kept.map(tick => labelOf(tick.ms, tick.rank)) }
}

// Labels without those nearer than `reach` to the height `at`: a tag there would cover half of them.
function clearOf(marks, at, reach) {
  return { at: marks.at, text: marks.text.map((text, i) => (Math.abs(marks.at[i] - at) < reach ? "" : text)) }
}

function niceStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough))
  for (const step of [1, 2, 2.5, 5]) if (step * size >= rough) return step * size
  return 10 * size
}

// How figures become heights: as they are, as logarithms, or in percent of where each line stood at the left edge.
class Scale {
  constructor(kind) {
    this.kind = kind
  }

  to(value, base) {
    if (value === null || value === undefined) return null
    if (this.kind === "log") return value > 0 ? Math.log10(value) : null
    return this.kind === "percent" ? (value / base - 1) * 100 : value
  }

  from(height, base) {
    if (this.kind === "log") return 10 ** height
    return this.kind === "percent" ? base * (1 + height / 100) : height
  }

  // Heights and texts of about `count` lines between two heights.
  ticks(low, high, count, decimals) {
    const [from, to] = this.kind === "log" ? [10 ** low, 10 ** high] : [low, high]
    if (!(to > from)) return { at: [], text: [] }
    const values = this.kind === "log" && to / from > 3 ? this.decades(from, to) : this.even(from, to, count)
    const text = this.kind === "percent" ? value => `${digits(value, 1, true)}%` : value => digits(value, decimals)
    return { at: values.map(value => (this.kind === "log" ? Math.log10(value) : value)), text: values.map(text) }
  }

  even(from, to, count) {
    const step = niceStep((to - from) / Math.max(2, count))
    const values = []
    for (let n = Math.ceil(from / step); n * step <= to; n += 1) values.push(Number((n * step).toPrecision(12)))
    return values.filter(value => this.kind !== "log" || value > 0)
  }

  decades(from, to) {
    const values = []
    for (let size = 10 ** Math.floor(Math.log10(from)); size <= to; size *= 10) {
      for (const step of [1, 2, 5]) if (step * size >= from && step * size <= to) values.push(step * size)
    }
    return values
  }
}
