// The checks: a card each, with its state as a sign, a word and a colour, its reason, and for how long it has been so.
// They come every two seconds. When they stay away, nobody knows how the desk does: no card says "Pass" then.

const STATES = {
  pass: ["Pass", "M3 9.5l4 4 8-9"],
  warn: ["Warn", "M9 3v7.5M9 14.4v.2"],
  fail: ["Fail", "M4 4l10 10M14 4L4 14"],
  unknown: ["Not known", "M6.5 6.5a2.6 2.6 0 1 1 3.6 2.4q-1.1.5-1.1 2M9 14.4v.2"],
  old: ["Not known", "M6.5 6.5a2.6 2.6 0 1 1 3.6 2.4q-1.1.5-1.1 2M9 14.4v.2"],
}
const OLD_SECONDS = 15

class HealthChecks {
  constructor(root) {
    this.list = root.querySelector(".checks")
    this.status = root.querySelector(".sr")
    this.list.replaceChildren()
    this.cards = new Map()
  }

  receive() {
    const { checks, compact } = this.data
    this.list.classList.toggle("compact", Boolean(compact))
    const there = new Set(checks.map(one => one.name))
    for (const [name, card] of this.cards) if (!there.has(name)) { card.item.remove(); this.cards.delete(name) }
    for (const one of checks) {
      const card = this.cards.get(one.name) ?? this.make(one)
      card.one = one
      setText(card.name, one.title)
      setText(card.reason, one.reason)
      this.list.append(card.item)
    }
    this.tick()
  }

  make(one) {
    const item = document.createElement("li")
    const head = document.createElement("div")
    head.className = "head"
    const svg = document.createElementNS(SVG, "svg")
    setAttribute(svg, "class", "mark")
    setAttribute(svg, "viewBox", "0 0 18 18")
    setAttribute(svg, "aria-hidden", "true")
    const path = document.createElementNS(SVG, "path")
    svg.append(path)
    const [name, state, reason, since] = ["b", "span", "div", "div"].map(tag => document.createElement(tag))
    state.className = "state"
    reason.className = "reason"
    since.className = "since"
    head.append(svg, name, state)
    item.append(head, reason, since)
    const card = { item, path, name, state, reason, since, one }
    this.cards.set(one.name, card)
    return card
  }

  tick() {
    const passed = (performance.now() - this.arrived) / 1000
    const old = passed >= OLD_SECONDS
    for (const { item, state, path, since, one } of this.cards.values()) {
      const shown = old ? "old" : one.state
      const [word, sign] = STATES[shown]
      setAttribute(item, "class", `check ${shown}`)
      setText(state, word)
      setAttribute(path, "d", sign)
      setText(since, old ? `it was "${STATES[one.state][0]}" ${durationText(passed)} ago` : `for ${durationText(one.seconds + passed)}`)
    }
    const told = old ? "The checks do not come any more" : this.data.label
    setAttribute(this.list, "aria-label", told)
    setText(this.status, told)
  }
}

export default component => viewOf(component, root => new HealthChecks(root))
