// Dated lines of a year, month by month. The next one from today on is scrolled into view when the list is new.

class DayList {
  constructor(root) {
    this.scroll = root.querySelector(".scroll")
    this.table = root.querySelector("table")
    this.empty = root.querySelector(".empty")
  }

  receive() {
    const id = JSON.stringify(this.data)
    if (id === this.drawn) return
    const shown = JSON.stringify(this.data.rows.map(row => row.id))
    const fresh = shown !== this.shown
    this.drawn = id
    this.shown = shown
    const { rows, empty } = this.data
    this.scroll.hidden = !rows.length
    this.empty.hidden = rows.length > 0
    setText(this.empty, rows.length ? "" : empty)
    for (const body of [...this.table.tBodies]) body.remove()
    const body = this.table.createTBody()
    let month = ""
    let next = null
    for (const row of rows) {
      if (row.month !== month) body.append(this.head((month = row.month)))
      const line = this.line(row)
      if (!next && !row.past && rows.some(other => other.past)) {
        next = line
        line.classList.add("next")
      }
      body.append(line)
    }
    if (fresh) this.scroll.scrollTop = next ? Math.max(0, next.offsetTop - 72) : 0
  }

  head(month) {
    const row = make("tr", "month")
    const cell = make("th", "", month)
    cell.colSpan = 4
    cell.scope = "rowgroup"
    row.append(cell)
    return row
  }

  line(row) {
    const line = make("tr", row.past ? "past" : "")
    line.dataset.kind = row.kind
    const day = make("td", "day")
    day.append(make("b", "", row.day))
    if (row.when) day.append(make("small", "", row.when))
    const what = make("td", "what")
    const mark = make("span", "mark", row.mark)
    mark.dataset.mark = row.mark
    setAttribute(mark, "aria-hidden", "true")
    const words = make("div")
    words.append(make("div", "", row.name), make("span", "kind", row.kind))
    const pair = make("div", "line")
    pair.append(mark, words)
    what.append(pair)
    const hours = make("td", "hours")
    for (const [who, when] of row.hours) {
      const part = make("div")
      part.append(make("span", "who", `${who} `), when)
      hours.append(part)
    }
    if (!row.hours.length) hours.append(make("span", "who", row.markets))
    if (row.note) hours.append(make("span", "note", row.note))
    const source = make("td", "source", row.source)
    if (row.doubt) source.prepend(make("span", "doubt", "unconfirmed"), " ")
    line.append(day, what, hours, source)
    return line
  }
}

export default function (component) {
  return viewOf(component, root => new DayList(root))
}
