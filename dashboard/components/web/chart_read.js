// What is read off a chart: crosshair, tags at the axes, the figures of a bar, the values of the lines. All of it are plain
// elements above the drawing, so that moving the pointer costs no drawing.

const MOST_NOTES = 5 // own trades of one bar that are told

class Reading {
  count() { return this.bars.place.length + (this.forming.bar ? 1 : 0) }

  placeOf(index) { return index < this.bars.place.length ? this.bars.place[index] : this.formingPlace }

  nearest(place) {
    const { first, step } = this.data.bars
    return Math.max(0, Math.min(this.bars.place.length - 1, Math.round((place - first - (step - 1) / 2) / step)))
  }

  barAt(index) {
    const { bars } = this
    const bar = this.forming.bar
    if (index >= bars.place.length) {
      return bar ? { ...bar, time: bar.start, before: bars.close.at(-1), isForming: true, oi: null } : null
    }
    return {
      time: bars.time[index], open: bars.open[index], high: bars.high[index], low: bars.low[index], close: bars.close[index],
      volume: bars.volume[index], oi: bars.oi?.[index] ?? null, before: bars.close[index - 1] ?? this.data.bars.before,
    }
  }

  pointed(event) {
    if (!this.axis) return
    const box = this.stage.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    const place = this.axis.p2l(x - this.axis._offset)
    const forming = this.forming.bar && place > this.formingPlace - 0.5
    this.point({ index: forming ? this.bars.place.length : this.nearest(place), y })
  }

  get axis() { return this.plot._fullLayout?.xaxis }

  point(cursor) {
    this.cursor = cursor && this.count() ? cursor : null
    this.placeCross()
    this.showReadout()
    this.showLegends()
  }

  placeAll() {
    this.placeCross()
    this.placeLast()
    this.showReadout()
    this.showLegends()
  }

  placeCross() {
    const { cursor, axis } = this
    const shown = Boolean(cursor && axis)
    this.down.style.display = this.tags.time.style.display = shown ? "block" : "none"
    const area = shown && cursor.y !== null ? this.areaAt(cursor.y) : null
    this.across.style.display = this.tags.price.style.display = area ? "block" : "none"
    this.notes.replaceChildren()
    if (!shown) return
    const x = axis._offset + axis.l2p(this.placeOf(cursor.index))
    const seen = x >= MARGIN.left && x <= this.width - MARGIN.right
    if (!seen) { this.down.style.display = this.tags.time.style.display = "none" }
    this.down.style.left = `${x}px`
    const bar = this.barAt(cursor.index)
    setText(this.tags.time, momentText(bar.time, this.data.unit))
    const half = this.tags.time.offsetWidth / 2
    this.tags.time.style.left = `${Math.max(half, Math.min(this.width - half, x))}px`
    if (area) {
      this.across.style.top = this.tags.price.style.top = `${cursor.y}px`
      setText(this.tags.price, this.heightText(area.id, area.axis.p2l(cursor.y - area.axis._offset)))
    }
    this.showNotes(this.placeOf(cursor.index), x)
  }

  // Bars that are missing here, and own trades.
  showNotes(place, x) {
    const hole = this.data.holes.find(one => Math.abs(one.at - place) < Math.max(1, this.bars.step))
    const own = marksAt(place, this)
    const notes = [...(hole ? [make("span", "hole", hole.text)] : []), ...own.slice(0, MOST_NOTES).map(text => make("span", "", text))]
    if (own.length > MOST_NOTES) notes.push(make("span", "muted", `and ${own.length - MOST_NOTES} more`))
    this.notes.append(...notes)
    this.notes.style.left = `${Math.max(6, Math.min(x + 8, this.width - 340))}px`
  }

  areaAt(y) {
    for (const [id, name] of Object.entries(this.names)) {
      const axis = this.plot._fullLayout[layoutKey(name)]
      if (axis && y >= axis._offset && y <= axis._offset + axis._length) return { id, axis }
    }
    return null
  }

  heightText(id, height) {
    if (id === "volume") return shortNumber(Math.max(0, height))
    if (id !== "price") return digits(height, 2)
    return this.scale.kind === "percent" ? `${digits(height, 2, true)}%` : this.figureText(this.scale.from(height))
  }

  placeLast() {
    const last = this.library && this.scale ? this.last() : null
    const axis = this.plot._fullLayout?.yaxis
    const y = last && axis ? axis._offset + axis.l2p(this.scale.to(last.price, this.bases?.own)) : NaN
    const shown = Number.isFinite(y) && y > axis._offset - 2 && y < axis._offset + axis._length + 2
    this.tags.last.style.display = shown ? "block" : "none"
    if (!shown) return
    this.tags.last.style.top = `${y}px`
    this.tags.last.dataset.way = last.way
    const old = this.isLastOld()
    this.tags.last.toggleAttribute("data-old", old)
    if (old !== this.old) this.redraw({ light: true }) // its line is grey or is not
    setText(this.tags.last, this.scale.kind === "percent" ? `${digits(this.scale.to(last.price, this.bases.own), 2, true)}%` : this.figureText(last.price))
  }

  // Is the last price not current? Without a bar that forms it is that of a bar that has ended: no matter of age unless
  // asking for a newer one fails.
  isLastOld() { return (this.forming.bar !== null || this.data.troubled) && this.isOld() }

  figureText(value) { return digits(value, this.data.decimals) }

  showReadout() {
    if (!this.bars) return
    const index = this.cursor?.index ?? this.count() - 1
    const bar = index >= 0 ? this.barAt(index) : null
    const parts = [make("span", "who", this.data.symbol), make("span", "muted", this.data.interval)]
    if (bar) {
      const old = index === this.count() - 1 && this.isLastOld()
      const change = bar.before === undefined || bar.before === null ? null : bar.close - bar.before
      parts.push(make("span", "fact", momentText(bar.time, this.data.unit)))
      if (bar.isForming) parts.push(this.formingChip(bar))
      else if (this.bars.step > 1) parts.push(make("span", "muted fact", `${this.bars.step} bars in one`))
      if (old && !bar.isForming) parts.push(this.chip("not current", "old"))
      parts.push(make("span", "cut"))
      for (const [name, value] of [["O", bar.open], ["H", bar.high], ["L", bar.low], ["C", bar.close]]) parts.push(this.fact(name, this.figureText(value), old))
      if (change !== null) {
        const percent = bar.before ? (change / bar.before) * 100 : null
        parts.push(make("span", `fact ${old ? "muted" : direction(change)}`, `${arrowOf(change)} ${digits(change, this.data.decimals, true)} (${digits(percent, 2, true)}%)`))
      }
      if (this.data.has_volume) parts.push(this.fact("Vol", shortNumber(bar.volume), old))
      if (bar.oi) parts.push(this.fact("OI", shortNumber(bar.oi)))
    }
    const text = parts.map(part => `${part.className}|${part.dataset.state ?? ""}|${part.textContent}`).join("~")
    if (text === this.readText) return
    this.readText = text
    this.readout.replaceChildren(...parts)
  }

  fact(name, value, old) {
    const fact = make("span", old ? "fact muted" : "fact")
    fact.append(make("i", "", name), value)
    return fact
  }

  formingChip(bar) {
    const over = this.forming.isOver(this.now())
    const old = this.isOld()
    const left = bar.end === null ? null : (bar.end - this.now()) / 1000
    const counts = left !== null && left > 0 && left < 86400 * 7
    const words = old ? `forming${this.priceAge()}, not current` : over ? "ended, being read" : counts ? `forming, ${durationText(left)} left` : "forming"
    return this.chip(words, old ? "old" : over ? "over" : "forming")
  }

  chip(words, state) {
    const chip = make("span", "live", words)
    chip.dataset.state = state
    return chip
  }

  // How old the price is that the bar stands on, where that is known.
  priceAge() {
    const seconds = this.age()
    return seconds === null ? "" : `, ${ageText(seconds)} old`
  }

  showLegends() {
    if (!this.names || !this.plot._fullLayout) return
    const place = this.cursor ? this.placeOf(this.cursor.index) : Infinity
    const found = this.bars.sent.findIndex(one => one >= place - 0.01)
    const at = found < 0 ? this.bars.sent.length - 1 : found
    const boxes = []
    for (const [id, name] of Object.entries(this.names)) {
      if (id === "volume") continue
      const lines = id === "price" && this.scale.kind === "percent" ? this.comparedLegend(at) : this.linesLegend(id, at)
      if (!lines.length) continue
      const box = make("div", "legend")
      box.style.top = `${(this.plot._fullLayout[layoutKey(name)]?._offset ?? 0) + 3}px`
      box.append(...lines)
      boxes.push(box)
    }
    const text = boxes.map(box => box.style.top + box.textContent).join("~") + this.colours.signature
    if (text === this.legendText) return
    this.legendText = text
    this.legends.replaceChildren(...boxes)
  }

  linesLegend(id, at) {
    const groups = new Map()
    for (const line of this.data.lines) {
      if (line.area === id) groups.set(line.group, [...(groups.get(line.group) ?? []), line])
    }
    for (const lines of groups.values()) lines.sort((a, b) => (a.kind === "columns") - (b.kind === "columns"))
    return [...groups].map(([group, lines]) => {
      const box = make("span")
      box.append(make("span", "muted", `${group} `))
      for (const line of lines) {
        if ((line.values[at] ?? null) === null) continue
        const value = make("b", "", `${digits(line.values[at], line.decimals)} `)
        value.style.color = toneOf(line, this.colours)
        box.append(value)
      }
      return box
    })
  }

  comparedLegend(at) {
    const legend = (symbol, value, base, colour) => {
      const box = make("span", "", `${symbol} `)
      const share = value === null || value === undefined ? null : (value / base - 1) * 100
      const figure = make("b", "", share === null ? MISSING : `${arrowOf(share)} ${digits(share, 2, true)}%`)
      box.style.color = colour
      box.append(figure)
      return box
    }
    const own = this.barAt(this.cursor?.index ?? this.count() - 1)
    return [
      legend(this.data.symbol, own?.close, this.bases.own, this.colours.text),
      ...this.data.compared.map((one, n) => legend(one.symbol, one.close[at], this.bases.others[n], this.colours.lines[n % this.colours.lines.length])),
    ]
  }
}
