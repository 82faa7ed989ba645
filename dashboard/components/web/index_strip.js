// The index strip: one card per index with its last value, change and path of the day.

class IndexStrip {
  constructor(root) {
    this.list = root.querySelector("ul")
    this.list.replaceChildren() // an earlier view on the same root may have left its cards
    this.cards = new Map()
  }

  receive() {
    setAttribute(this.list, "aria-label", this.data.label)
    const keys = this.data.cards.map(card => card.k)
    for (const [key, view] of this.cards) {
      if (!keys.includes(key)) { view.item.remove(); this.cards.delete(key) }
    }
    this.data.cards.forEach((card, place) => {
      card.at = this.arrived
      card.now = card.t + card.a * 1000
      const told = live.rows.get(card.k)
      if (this.data.push && told && told.values[FIELD.received_ms] >= (card.t ?? 0)) this.takeOver(card, told)
      this.patch(card, place)
    })
    if (this.data.push) live.show(this, this.data.push, keys, [])
    this.tick()
  }

  // What the push channel told of some instruments.
  live(changed) {
    for (const key of changed) {
      const view = this.cards.get(key)
      const told = live.rows.get(key)
      if (!view || !told) continue
      this.takeOver(view.card, told)
      this.patch(view.card)
    }
    this.tick()
  }

  takeOver(card, { values, at, now }) {
    card.ltp = values[FIELD.ltp]
    card.ch = values[FIELD.change]
    card.pc = values[FIELD.change_percent]
    card.src = values[FIELD.source]
    card.a = (now - values[FIELD.received_ms]) / 1000
    card.at = at
    card.now = now
    card.p = values[FIELD.last_trade_ms]
    card.feed = values[FIELD.from_feed]
    if (values[FIELD.received_ms] > (card.t ?? 0)) card.o = false // newer than the trouble that the page knows of
  }

  close() { live.hide(this) }

  patch(card, place) {
    let view = this.cards.get(card.k)
    if (!view) {
      const item = make("li", "card")
      const spark = document.createElementNS(SVG, "svg")
      spark.setAttribute("aria-hidden", "true")
      spark.setAttribute("class", "spark")
      view = { item, name: symbolChip("name muted sym", "", ""), value: make("div", "value"), change: make("div", "change"), spark }
      const words = make("div", "words")
      words.append(view.name, view.value, view.change)
      item.append(words, spark)
      this.cards.set(card.k, view)
    }
    if (place !== undefined && this.list.children[place] !== view.item) this.list.insertBefore(view.item, this.list.children[place] ?? null)
    view.card = card
    nameChip(view.name, card.n, card.k)
    setText(view.value, digits(card.ltp, 2))
    const tone = direction(card.ch ?? 0)
    const mark = arrowOf(card.ch)
    setText(
      view.change,
      card.ch === null ? MISSING : `${mark === "=" ? "" : `${mark} `}${digits(card.ch, 2, true)} (${digits(card.pc, 2, true)}%)`,
    )
    view.change.className = `change ${tone}`
    if (card.path) drawSpark(view.spark, card.path.p, card.path.b, direction(card.path.dir))
    else clearSpark(view.spark)
  }

  tick() {
    const silent = isSilent(this)
    for (const { item, card } of this.cards.values()) {
      const age = card.a === null ? null : card.a + secondsSince(card.at, this.data)
      const old = age !== null && (silent || isOld({ feed: card.feed, troubled: card.o, moves: card.m, age }, this.data))
      item.classList.toggle("stale", old)
      item.title = age === null ? "no value yet" : `${sinceText(card, age, old)}, ${card.src}`
    }
  }
}

export default function (component) {
  return viewOf(component, root => new IndexStrip(root))
}
