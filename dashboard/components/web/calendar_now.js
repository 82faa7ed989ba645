// Phases with their countdowns, and one day on a bar in Indian time. Counts by itself with the desk's clock, never with
// the host's; a zone other than India's gets an axis of its own.

const INDIA_ZONE = "Asia/Kolkata"
const SIGNS = {
  "pre-open": "◐", open: "●", "closing auction": "◆", "post-close": "◔", closed: "○", unknown: "?",
}
const LEGEND = [
  ["pre-open", "pre-open"], ["open", "open"], ["closing auction", "closing auction"], ["post-close", "post-close"],
]
const THEN = { Closed: "closes", Open: "opens" }
const LATE_MS = 1500 // a phase that is over is asked about once, and again after this

const formats = new Map()

function clockText(ms, zone, options) {
  const id = `${zone} ${JSON.stringify(options)}`
  if (!formats.has(id)) formats.set(id, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }))
  return formats.get(id).format(ms)
}

const HM = { hour: "2-digit", minute: "2-digit" }
const HMS = { ...HM, second: "2-digit" }
const DAY = { weekday: "short", day: "numeric", month: "short" }

function countdownText(ms) {
  const whole = Math.max(0, Math.ceil(ms / 1000))
  const [days, hours, minutes, seconds] = [
    Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60,
  ]
  const two = number => String(number).padStart(2, "0")
  if (days) return `${days} d ${hours}:${two(minutes)}:${two(seconds)}`
  if (hours) return `${hours}:${two(minutes)}:${two(seconds)}`
  return `${minutes}:${two(seconds)}`
}

class NowBoard {
  constructor(root) {
    this.parts = Object.fromEntries(
      ["clock", "date", "local", "days", "rows", "legend", "which", "zone"].map(name => [name, root.querySelector(`.${name}`)]),
    )
    this.scale = root.querySelector(".scale .ticks")
    this.second = root.querySelector(".scale.second")
    this.parts.days.replaceChildren() // an earlier view on the same root may have left its own
    this.parts.rows.replaceChildren()
    this.here = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"
    this.open = new Set()
    this.picked = null
    this.asked = {}
    this.legend()
    this.parts.days.addEventListener("keydown", event => this.step(event))
  }

  legend() {
    this.parts.legend.replaceChildren(
      ...LEGEND.map(([phase, name]) => {
        const item = make("span")
        const swatch = make("i", "look")
        swatch.dataset.phase = phase
        item.append(swatch, name)
        return item
      }),
    )
  }

  now() {
    return this.data.now + sinceArrival(this) * 1000
  }

  abroad(ms) {
    return clockText(ms, this.here, HM) !== clockText(ms, INDIA_ZONE, HM)
  }

  receive() {
    const days = this.data.days
    const still = days.findIndex(day => day.iso === this.picked)
    if (still < 0) this.picked = null
    this.place = this.picked ? still : this.data.chosen
    this.drawDays()
    this.draw()
  }

  drawDays() {
    const box = this.parts.days
    const id = JSON.stringify([this.data.days.map(day => [day.iso, day.today, day.tone, day.summary, day.notes]), this.place])
    if (this.drawn === id) return
    this.drawn = id
    const focused = box.contains(this.parts.days.getRootNode().activeElement)
    box.replaceChildren(
      ...this.data.days.map((day, place) => {
        const tab = make("button", "day")
        tab.type = "button"
        tab.dataset.tone = day.tone
        setAttribute(tab, "role", "tab")
        setAttribute(tab, "aria-selected", place === this.place)
        tab.tabIndex = place === this.place ? 0 : -1
        const head = make("span", "head")
        head.append(make("b", "", `${day.weekday} ${day.date}`))
        const tag = day.today ? "today" : place === this.data.chosen ? "next" : ""
        if (tag) {
          head.append(make("span", "tag", tag))
          if (!day.today) tab.title = "The next day with a session"
        }
        tab.append(head, ...day.summary.map(line => make("span", "line", line)))
        for (const note of day.notes) {
          const fact = make("span", "fact")
          const mark = make("span", "mark", note.mark)
          mark.dataset.mark = note.mark
          setAttribute(mark, "aria-hidden", "true")
          fact.append(mark, make("span", "", note.text))
          tab.append(fact)
        }
        tab.addEventListener("click", () => this.pick(place))
        return tab
      }),
    )
    if (focused) box.children[this.place]?.focus()
    const chosen = box.children[this.place]
    if (chosen && box.scrollWidth > box.clientWidth) box.scrollLeft = chosen.offsetLeft - box.offsetLeft - 24
  }

  pick(place) {
    this.picked = this.data.days[place].iso
    this.place = place
    this.drawDays()
    this.draw()
  }

  step(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, Home: -99, End: 99 }[event.key]
    if (!by) return
    event.preventDefault()
    this.pick(Math.min(Math.max(this.place + by, 0), this.data.days.length - 1))
    this.parts.days.children[this.place].focus()
  }

  draw() {
    const day = this.data.days[this.place]
    this.day = day
    setText(this.parts.which, `${day.today ? "Today" : day.weekday}, ${day.date}`)
    this.ticks(this.scale, INDIA_ZONE, " IST")
    const abroad = this.abroad(day.from)
    this.second.hidden = !abroad
    if (abroad) {
      setText(this.parts.zone, this.here.replaceAll("_", " "))
      this.ticks(this.second.querySelector(".ticks"), this.here, "")
    }
    this.rows = this.data.rows.map((row, place) => this.drawRow(row, day.bars[row.id], place))
    this.parts.rows.replaceChildren(...this.rows.map(row => row.box))
    this.tick()
  }

  left(ms) {
    return ((ms - this.day.from) / (this.day.to - this.day.from)) * 100
  }

  ticks(box, zone, suffix) {
    const marks = []
    let weekday = clockText(this.day.from, INDIA_ZONE, { weekday: "short" })
    for (let ms = this.day.from, i = 0; ms <= this.day.to; ms += 7200000, i += 1) {
      const there = clockText(ms, zone, { weekday: "short" })
      const turned = zone !== INDIA_ZONE && there !== weekday ? `${there} ` : "" // another date than in India, or a new one
      weekday = there
      const text = zone === INDIA_ZONE && ms === this.day.to ? "24:00" : `${turned}${clockText(ms, zone, HM)}`
      const mark = make("span", i % 2 ? "odd" : "", i ? text : `${text}${suffix}`)
      mark.style.left = `${this.left(ms)}%`
      marks.push(mark)
    }
    box.replaceChildren(...marks)
  }

  drawRow(row, bar, place) {
    const box = make("div", "row")
    setAttribute(box, "role", "listitem")
    const name = make("button", "name")
    name.type = "button"
    const title = make("b", "", row.name)
    const more = make("span", "more", "▸")
    setAttribute(more, "aria-hidden", "true")
    title.append(more)
    name.append(title, make("small", "", row.markets))
    const state = make("div", "state")
    state.dataset.phase = row.phase
    state.title = row.help
    const phase = make("div", "phase")
    const sign = make("span", "sign", SIGNS[row.phase] ?? "?")
    setAttribute(sign, "aria-hidden", "true")
    phase.append(sign, make("span", "label", row.label))
    const why = row.phase === "closed" || row.phase === "unknown" ? row.reason : row.stage
    if (why) phase.append(make("span", "step muted", why))
    if (!row.confirmed) phase.append(make("span", "doubt", "unconfirmed"))
    const next = make("div", "next")
    const lead = make("span")
    const left = make("span", "left")
    next.append(lead, left)
    state.append(phase, next)
    const lane = this.drawLane(row, bar)
    const detail = this.drawDetail(row, bar)
    const show = () => {
      const open = this.open.has(row.id)
      setAttribute(name, "aria-expanded", open)
      detail.hidden = !open
    }
    name.addEventListener("click", () => {
      if (!this.open.delete(row.id)) this.open.add(row.id)
      show()
    })
    show()
    box.append(name, state, lane, detail)
    const now = make("i", "now")
    lane.append(now)
    return { row, box, lead, left, now, detail, bar, blocks: [...lane.querySelectorAll(".block")], place }
  }

  drawLane(row, bar) {
    const lane = make("div", "lane")
    lane.classList.toggle("unknown", bar.unknown)
    setAttribute(lane, "role", "img")
    const said = bar.windows.map(window => `${window[3]} ${window[5]}`).join("; ")
    setAttribute(lane, "aria-label", `${row.name} on ${this.day.full}, Indian time: ${said || bar.words}`)
    for (let ms = this.day.from + 7200000; ms < this.day.to; ms += 7200000) {
      const line = make("span", "grid")
      line.style.left = `${this.left(ms)}%`
      lane.append(line)
    }
    if (bar.words) {
      const words = make("span", "words")
      words.append(make("span", "", bar.words))
      lane.append(words)
    }
    for (const block of joinedWindows(bar.windows)) {
      const [from, to] = [Math.max(0, this.left(block.from)), Math.min(100, this.left(block.to))]
      const node = make("span", "block look")
      node.dataset.phase = block.phase
      node.dataset.to = block.to
      node.style.left = `${from}%`
      node.style.width = `calc(${to - from}% - 1px)`
      if (to - from > 9) node.append(make("span", "hours", block.text))
      node.title = block.windows.map(window => this.windowText(window)).join("\n")
      lane.append(node)
    }
    this.tellBeside(lane, bar.windows)
    return lane
  }

  // A session too short to carry its hours has them beside the day's last block.
  tellBeside(lane, windows) {
    const sessions = joinedWindows(windows).filter(block => block.phase === "open")
    if (!sessions.length || sessions.some(block => this.left(block.to) - this.left(block.from) > 9)) return
    const end = this.left(windows.at(-1)[1])
    const words = make("span", "beside", sessions.map(block => block.text).join(", "))
    if (end < 80) words.style.left = `${end}%`
    else words.style.right = `${100 - this.left(windows[0][0])}%`
    lane.append(words)
  }

  windowText(window) {
    const own = this.abroad(window[0]) ? ` (${this.ownSpan(window)})` : ""
    return `${window[5]} IST${own}  ${window[3]}, ${window[4]}`
  }

  ownSpan(window) {
    return `${clockText(window[0], this.here, HM)}–${clockText(window[1], this.here, HM)} in ${this.here.replaceAll("_", " ")}`
  }

  drawDetail(row, bar) {
    const box = make("div", "detail")
    const table = make("table")
    setAttribute(table, "aria-label", `Hours of ${row.name} on ${this.day.full}`)
    for (const window of bar.windows) {
      const line = table.insertRow()
      line.insertCell().textContent = `${window[5]} IST`
      line.insertCell().textContent = window[3]
      line.insertCell().textContent = `takes ${window[4]}`
      if (this.abroad(window[0])) line.insertCell().textContent = this.ownSpan(window)
    }
    if (!bar.windows.length) table.insertRow().insertCell().textContent = bar.words
    box.append(table)
    const source = [bar.source && `Source: ${bar.source}`, bar.unconfirmed && "unconfirmed"].filter(Boolean).join(", ")
    if (source) box.append(make("p", "", `${source}.`))
    return box
  }

  tick() {
    const now = this.now()
    setText(this.parts.clock, `${clockText(now, INDIA_ZONE, HMS)} IST`)
    setText(this.parts.date, clockText(now, INDIA_ZONE, { weekday: "long", day: "numeric", month: "long", year: "numeric" }))
    setText(
      this.parts.local,
      this.abroad(now) ? `${clockText(now, this.here, { ...DAY, ...HMS })} your time (${this.here.replaceAll("_", " ")})` : "",
    )
    const visible = now >= this.day.from && now <= this.day.to
    for (const tick of this.scale.children) {
      tick.style.visibility = visible && Math.abs(parseFloat(tick.style.left) - this.left(now)) < 5 ? "hidden" : ""
    }
    for (const { row, lead, left, now: mark, blocks, detail, bar } of this.rows) {
      this.countDown(row, lead, left, now)
      mark.hidden = !visible
      mark.style.left = `${this.left(now)}%`
      mark.dataset.text = `now ${clockText(now, INDIA_ZONE, HM)}`
      for (const block of blocks) block.classList.toggle("over", Number(block.dataset.to) <= now)
      if (bar.windows.length) {
        bar.windows.forEach((window, i) => {
          detail.querySelector("table").rows[i].classList.toggle("here", window[0] <= now && now < window[1])
        })
      }
    }
  }

  countDown(row, lead, left, now) {
    if (row.then === "Unknown") { // so long the last word on it is believed; then it is asked for again
      setText(lead, "what follows is not published")
      setText(left, "")
      if (row.until !== null && now >= row.until) this.ask(row)
      return
    }
    if (row.until === null) {
      setText(lead, row.then ? `then ${row.then.toLowerCase()}` : "what follows is not published")
      setText(left, "")
      return
    }
    const sameDay = clockText(now, INDIA_ZONE, DAY) === clockText(row.until, INDIA_ZONE, DAY)
    const at = `${sameDay ? "" : `${clockText(row.until, INDIA_ZONE, DAY).replace(",", "")}, `}${clockText(row.until, INDIA_ZONE, HM)}`
    const then = row.then ? THEN[row.then] ?? row.then.toLowerCase() : "not published"
    setText(lead, `${then} ${sameDay ? "at " : ""}${at} · in `)
    setText(left, now < row.until ? countdownText(row.until - now) : "a moment")
    if (now >= row.until) this.ask(row)
  }

  // A phase is over: the desk knows what follows. Asked once, and again only if the answer did not come.
  ask(row) {
    const last = this.asked[row.id]
    if (last && last.until === row.until && performance.now() - last.at < LATE_MS * last.times) return
    this.asked[row.id] = { until: row.until, at: performance.now(), times: last?.until === row.until ? last.times * 2 : 1 }
    this.component.setTriggerValue("due", row.until)
  }
}

// Adjoining windows of one phase are one block; its steps are in the tooltip.
function joinedWindows(windows) {
  const blocks = []
  for (const window of windows) {
    const last = blocks.at(-1)
    if (last && last.phase === window[2] && last.to === window[0]) {
      last.to = window[1]
      last.windows.push(window)
    } else {
      blocks.push({ from: window[0], to: window[1], phase: window[2], windows: [window] })
    }
  }
  for (const block of blocks) {
    const [first, last] = [block.windows[0][5], block.windows.at(-1)[5]]
    block.text = `${first.split("–")[0]}–${last.split("–")[1]}`
  }
  return blocks
}

export default function (component) {
  return viewOf(component, root => new NowBoard(root))
}
