// The days of the results as a calendar: a strip for each financial year, months side by side, each day coloured by its
// net result and signed. Few months are drawn large, with amounts. A click on a day looks at that day alone.

const DAY_MS = 86400000
const LARGE_MONTHS = 3
const LEAST_MUCH = 18
const MOST_MUCH = 66
const FULLEST = 44 // percent of the colour where amounts are written on it: more, and they are hard to read

class DaysView {
  constructor(root) {
    this.root = root.querySelector(".root")
    this.box = root.querySelector(".strips")
    this.legend = root.querySelector(".legend")
    this.tip = root.querySelector(".tip")
    this.cells = new Map()
    const cellOf = event => event.target.closest(".day[data-way]")
    this.box.addEventListener("pointerover", event => this.showFor(cellOf(event)))
    this.box.addEventListener("pointerleave", () => this.hide())
    this.box.addEventListener("focusin", event => this.showFor(cellOf(event)))
    this.box.addEventListener("focusout", () => this.hide())
    this.box.addEventListener("click", event => { const cell = cellOf(event); if (cell) this.component.setTriggerValue("day", cell.dataset.day) })
    this.box.addEventListener("keydown", event => this.move(event))
    this.scrolled = () => this.hide()
    this.drawLegend()
  }

  receive() {
    window.addEventListener("scroll", this.scrolled, { capture: true, passive: true })
    const told = JSON.stringify(this.data)
    if (told === this.drawn) return
    this.drawn = told
    this.hide()
    this.cells.clear()
    this.days = new Map(this.data.days.map(([iso, net, gross, charges, trades]) => [iso, { iso, net, gross, charges, trades }]))
    setAttribute(this.box, "role", "group")
    setAttribute(this.box, "aria-label", this.data.label)
    const months = monthsBetween(this.data.days[0][0], this.data.days[this.data.days.length - 1][0])
    const large = months.length <= LARGE_MONTHS
    this.rest = this.data.days.some(([iso]) => weekdayOf(iso) > 4)
    this.list = this.data.days.map(day => day[0])
    const years = Map.groupBy(months, month => yearOf(month))
    this.box.replaceChildren(...[...years].reverse().map(([year, of]) => this.strip(year, of, large)))
    const last = this.cells.get(this.list[this.list.length - 1])
    if (last) last.tabIndex = 0
  }

  strip(year, months, large) {
    const strip = make("section", "strip")
    const { net, way, won } = this.data.years[year]
    const head = make("h2", "", large && months.length === 1 ? "" : `FY ${year}`)
    head.append(make("span", direction(way), net), make("span", "muted", won))
    const row = make("div", large ? "months large" : "months")
    row.append(...months.map(month => this.month(month, large)))
    strip.append(head, row)
    return strip
  }

  month(month, large) {
    const [year, number] = month.split("-").map(Number)
    const box = make("div", "month")
    box.append(make("b", "", `${MONTH_NAMES[number - 1]}${large || number === 1 || number === 4 ? ` ${year}` : ""}`))
    const grid = make("div", "grid")
    const across = this.rest ? 7 : 5
    if (large) grid.style.setProperty("--across", across)
    else grid.style.gridTemplateRows = `repeat(${across}, auto)`
    const first = Date.UTC(year, number - 1, 1)
    const lead = weekdayOf(`${month}-01`)
    const blank = lead < across ? lead : 0
    for (let empty = 0; empty < blank; empty += 1) grid.append(make("span", "day out"))
    for (let ms = first; new Date(ms).getUTCMonth() === number - 1; ms += DAY_MS) {
      const iso = new Date(ms).toISOString().slice(0, 10)
      if (weekdayOf(iso) < across) grid.append(this.cell(iso, large))
    }
    box.append(grid)
    box.style.setProperty("--weeks", Math.ceil(grid.childElementCount / across))
    return box
  }

  cell(iso, large) {
    const day = this.days.get(iso)
    const number = String(Number(iso.slice(8)))
    if (!day) return make("span", "day", large ? number : "")
    const cell = make("button", "day")
    cell.type = "button"
    cell.tabIndex = -1
    cell.dataset.day = iso
    cell.dataset.way = direction(day.net)
    const share = Math.min(1, Math.abs(day.net) / (this.data.strongest || 1))
    const most = large ? FULLEST : MOST_MUCH
    cell.style.setProperty("--much", `${Math.round(LEAST_MUCH + Math.sqrt(share) * (most - LEAST_MUCH))}%`)
    if (large) cell.append(make("i", "", number), make("span", "", signedShort(day.net)))
    else setText(cell, day.net > 0 ? "+" : day.net < 0 ? "\u2212" : "0")
    setAttribute(cell, "aria-label", `${dayText(iso)}: net ${rupeeText(day.net, 2, true)}, ${day.trades} trades`)
    this.cells.set(iso, cell)
    return cell
  }

  move(event) {
    const cell = event.target.closest(".day[data-way]")
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key]
    if (event.key === "Escape") return this.hide()
    if (!cell || !by) return
    event.preventDefault()
    const next = this.cells.get(this.list[this.list.indexOf(cell.dataset.day) + by])
    if (!next) return
    cell.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  }

  showFor(cell) {
    if (!cell) return this.hide()
    const day = this.days.get(cell.dataset.day)
    const facts = make("dl")
    for (const [name, text] of [["Net", rupeeText(day.net, 2, true)], ["Gross", rupeeText(day.gross, 2, true)], ["Charges", rupeeText(day.charges)], ["Trades", digits(day.trades, 0)]]) {
      facts.append(make("dt", "", name), make("dd", name === "Net" ? direction(day.net) : "", text))
    }
    this.tip.replaceChildren(make("b", "", dayText(day.iso)), facts)
    if (!this.tip.matches(":popover-open")) this.tip.showPopover()
    const at = cell.getBoundingClientRect()
    const size = this.tip.getBoundingClientRect()
    const left = Math.min(Math.max(8, at.left + at.width / 2 - size.width / 2), window.innerWidth - size.width - 8)
    const below = at.bottom + 8 + size.height < window.innerHeight
    this.tip.style.left = `${left}px`
    this.tip.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - 8 - size.height)}px`
  }

  hide() {
    if (this.tip.matches(":popover-open")) this.tip.hidePopover()
  }

  drawLegend() {
    const swatch = (way, much) => { const one = make("i", way); one.style.setProperty("--much", `${much}%`); return one }
    this.legend.replaceChildren(
      make("span", "", "Loss \u2212"), swatch("down", MOST_MUCH), swatch("down", 42), swatch("down", LEAST_MUCH),
      swatch("up", LEAST_MUCH), swatch("up", 42), swatch("up", MOST_MUCH), make("span", "", "+ Profit"))
  }

  close() {
    window.removeEventListener("scroll", this.scrolled, { capture: true })
    this.hide()
  }
}

function weekdayOf(iso) {
  return (new Date(`${iso}T00:00:00Z`).getUTCDay() + 6) % 7
}

function yearOf(month) {
  const [year, number] = month.split("-").map(Number)
  const first = number >= 4 ? year : year - 1
  return `${first}-${String((first + 1) % 100).padStart(2, "0")}`
}

function monthsBetween(first, last) {
  const months = []
  let [year, month] = first.split("-").map(Number)
  for (let now = first.slice(0, 7); now <= last.slice(0, 7);) {
    months.push(now)
    month += 1
    if (month > 12) { month = 1; year += 1 }
    now = `${year}-${String(month).padStart(2, "0")}`
  }
  return months
}

function signedShort(value) {
  const size = Math.abs(value)
  const text = size >= 1e7 ? `${digits(size / 1e7, 1)}\u202fCr` : size >= 1e5 ? `${digits(size / 1e5, 1)}\u202fL` : digits(size, 0)
  return `${value > 0 ? "+" : value < 0 ? "\u2212" : ""}${text}`
}

export default function (component) {
  return viewOf(component, root => new DaysView(root))
}
