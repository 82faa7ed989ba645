// Twelve months. Each day that differs carries letters or shapes, a tooltip on hover and focus, and a spoken label;
// arrow keys go from day to day. Dates are plain dates in India: no zone of the host comes into it.

const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
]
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
const CLASSES = { "◆": "monthly", "◇": "weekly", "₹": "rupee" }
const LOOKS = ["H", "S", "P", "h", "₹", "N"] // the strongest one colours the cell
const DAY_MS = 86400000

function isoOf(ms) {
  return new Date(ms).toISOString().slice(0, 10)
}

function weekdayOf(ms) {
  return (new Date(ms).getUTCDay() + 6) % 7
}

class YearView {
  constructor(root) {
    this.root = root.querySelector(".root")
    this.note = root.querySelector(".note")
    this.box = root.querySelector(".year")
    this.legend = root.querySelector(".legend")
    this.tip = root.querySelector(".tip")
    this.cells = new Map()
    this.box.addEventListener("keydown", event => this.move(event))
    this.box.addEventListener("pointerover", event => this.showFor(event.target.closest("td")))
    this.box.addEventListener("pointerleave", () => this.hide())
    this.box.addEventListener("focusin", event => this.showFor(event.target.closest("td")))
    this.box.addEventListener("focusout", () => this.hide())
    this.box.addEventListener("click", event => this.showFor(event.target.closest("td")))
    this.scrolled = () => this.place()
    window.addEventListener("scroll", this.scrolled, { capture: true, passive: true })
  }

  close() {
    window.removeEventListener("scroll", this.scrolled, { capture: true })
    this.hide()
  }

  receive() {
    window.addEventListener("scroll", this.scrolled, { capture: true, passive: true })
    const id = JSON.stringify(this.data)
    if (id === this.drawn) return
    this.drawn = id
    this.hide()
    this.note.hidden = !this.data.note
    setText(this.note, this.data.note)
    this.cells.clear()
    this.unknown = new Set(this.data.unknown)
    this.box.replaceChildren(...MONTHS.map((name, month) => this.month(name, month)))
    const first = this.cells.get(this.data.today) ?? [...this.cells.values()].find(cell => cell.dataset.look) ?? [...this.cells.values()][0]
    if (first) first.tabIndex = 0
    this.drawLegend()
    // On a phone the months are a strip: begin with this one.
    if (first && this.box.scrollWidth > this.box.clientWidth) {
      this.box.scrollLeft = first.closest("table").offsetLeft - this.box.offsetLeft
    }
  }

  month(name, month) {
    const { year } = this.data
    const table = make("table")
    setAttribute(table, "role", "grid")
    setAttribute(table, "aria-label", `${name} ${year}`)
    const caption = table.createCaption()
    caption.append(name)
    const head = table.createTHead().insertRow()
    for (const weekday of WEEKDAYS) {
      const cell = make("th", "", weekday[0])
      cell.scope = "col"
      cell.abbr = weekday
      head.append(cell)
    }
    const body = table.createTBody()
    const end = Date.UTC(year, month + 1, 1)
    let row = null
    for (let ms = Date.UTC(year, month, 1); ms < end; ms += DAY_MS) {
      const weekday = weekdayOf(ms)
      if (!row || weekday === 0) {
        row = body.insertRow()
        if (!body.rows[1]) for (let empty = 0; empty < weekday; empty += 1) row.insertCell()
      }
      row.append(this.cell(ms, weekday, name))
    }
    return table
  }

  cell(ms, weekday, month) {
    const iso = isoOf(ms)
    const number = new Date(ms).getUTCDate()
    const found = this.data.days[iso]
    const unknown = !this.data.published || this.unknown.has(iso)
    const cell = make("td", "", String(number))
    cell.tabIndex = -1
    cell.dataset.day = iso
    setAttribute(cell, "role", "gridcell")
    cell.classList.toggle("today", iso === this.data.today)
    cell.classList.toggle("unknown", unknown)
    const marks = found?.marks ?? []
    const look = LOOKS.find(mark => marks.includes(mark)) ?? marks[0]
    cell.classList.toggle("rest", weekday > 4 && !marks.includes("S"))
    if (look) {
      cell.dataset.look = look
      cell.classList.toggle("doubt", found.doubt)
      const signs = make("i")
      setAttribute(signs, "aria-hidden", "true")
      signs.append(...marks.map(mark => make("b", CLASSES[mark] ?? mark, mark)))
      cell.append(signs)
    }
    const said = [`${WEEKDAYS[weekday]} ${number} ${month} ${this.data.year}`]
    if (iso === this.data.today) said.push("today")
    if (unknown) said.push("not published yet")
    else if (!found) said.push(weekday > 4 ? "weekend" : "ordinary day")
    for (const line of found?.lines ?? []) said.push(this.sentence(line))
    setAttribute(cell, "aria-label", said.join(", "))
    this.cells.set(iso, cell)
    return cell
  }

  sentence(line) {
    const parts = [`${line.kind}: ${line.name}`, ...line.hours]
    if (line.doubt) parts.push("unconfirmed")
    return parts.join(", ")
  }

  drawLegend() {
    const items = this.data.legend.map(([mark, name, meaning]) => {
      const item = make("span")
      item.title = meaning
      const swatch = make("i", "swatch", mark)
      swatch.dataset.look = mark
      item.append(swatch, name)
      return item
    })
    const doubt = make("span")
    doubt.append(make("i", "swatch", "?"), "unconfirmed, or not published")
    this.legend.replaceChildren(...items, doubt)
  }

  move(event) {
    const cell = event.target.closest("td")
    if (event.key === "Escape") return this.hide()
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key]
    if (!cell || !by) return
    event.preventDefault()
    const next = this.cells.get(isoOf(Date.parse(`${cell.dataset.day}T00:00:00Z`) + by * DAY_MS))
    if (!next) return
    cell.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  }

  showFor(cell) {
    const found = cell && this.data.days[cell.dataset.day]
    if (!found) return this.hide()
    if (this.shown === cell) return
    this.shown = cell
    const [year, month, day] = cell.dataset.day.split("-").map(Number)
    const weekday = WEEKDAYS[weekdayOf(Date.UTC(year, month - 1, day))]
    this.tip.replaceChildren(make("h4", "", `${weekday}, ${day} ${MONTHS[month - 1]} ${year}`), ...found.lines.map(line => this.section(line)))
    if (this.tip.showPopover && !this.tip.matches(":popover-open")) this.tip.showPopover()
    this.place()
  }

  // The tip goes with its day while the page scrolls, and away with it.
  place() {
    if (!this.shown) return
    const at = this.shown.getBoundingClientRect()
    if (at.bottom < 0 || at.top > window.innerHeight) return this.hide()
    const size = this.tip.getBoundingClientRect()
    const left = Math.min(Math.max(8, at.left + at.width / 2 - size.width / 2), window.innerWidth - size.width - 8)
    const below = at.bottom + 8 + size.height < window.innerHeight
    this.tip.style.left = `${left}px`
    this.tip.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - 8 - size.height)}px`
  }

  section(line) {
    const box = make("section")
    const title = make("div")
    title.append(make("b", "", line.name), make("span", "sub", `  ${line.kind}`))
    box.append(title, ...line.hours.map(text => make("div", "", text)))
    if (line.note) box.append(make("div", "sub", line.note))
    if (line.doubt) box.append(make("div", "doubt", "Unconfirmed"))
    if (line.source) box.append(make("div", "src", line.source))
    return box
  }

  hide() {
    this.shown = null
    if (this.tip.matches(":popover-open")) this.tip.hidePopover()
  }
}

export default function (component) {
  return viewOf(component, root => new YearView(root))
}
