// The bar that forms now, out of the prices that the push channel tells. No drawing here, and no clock of its own: the
// desk's time comes with each price, so that bars close on the desk's minute.

class Forming {
  // `told`: what the desk knew { start, end, open, high, low, close, volume, base, at } (`base`: the day's volume when
  // the bar began; `at`: until when it is told, null where nobody knows), or null; `edges`: starts of this bar and those
  // to come, ascending; each is the end of the one before.
  constructor(told, edges) {
    this.bar = told ? { ...told } : null
    this.edges = edges
    this.closed = [] // bars that ended here and that the desk has not told yet
  }

  // Take over what `before`, an earlier one of the same series, knew better than the desk: later prices.
  inherit(before) {
    const [mine, theirs] = [this.bar, before.bar]
    if (theirs && (!mine || theirs.start > mine.start)) {
      if (mine && theirs.start > mine.start) this.closed.push(this.finished())
      const known = new Set(this.closed.map(bar => bar.start))
      this.closed.push(...before.closed.filter(bar => !known.has(bar.start)))
      this.bar = theirs
    } else if (mine && theirs && mine.start === theirs.start) {
      mine.high = Math.max(mine.high, theirs.high)
      mine.low = Math.min(mine.low, theirs.low)
      mine.volume = Math.max(mine.volume, theirs.volume)
      if (theirs.at > mine.at) { mine.close = theirs.close; mine.at = theirs.at }
    }
  }

  // Bars up to `last` (the start of the desk's last closed bar) need no second teller.
  forget(last) {
    this.closed = this.closed.filter(bar => bar.start > last)
    if (this.bar && this.bar.start <= last) this.bar = null
  }

  // A price of `traded` (ms), heard at `now` (ms of the desk's clock), with the day's volume. Tells what it did:
  // "moved", "opened" (a bar ended and another began) or "" (nothing). One that is not `fresh` opens no bar; it belongs
  // to the one that forms if that was told before it.
  price(ltp, volume, traded, now, fresh = true) {
    const at = traded ? Math.min(traded, now) : now
    const place = this.place(at)
    if (place === null || !(ltp > 0)) return ""
    const start = this.edges[place]
    if (!fresh && (start !== this.bar?.start || (this.bar.at ?? null) === null)) return ""
    if (!this.bar || start > this.bar.start) {
      const opened = this.bar !== null
      const base = this.bar?.day ?? volume ?? 0
      if (this.bar) this.closed.push(this.finished())
      this.bar = { start, end: this.edges[place + 1] ?? null, open: ltp, high: ltp, low: ltp, close: ltp, base, at: now }
      this.count(volume)
      return opened ? "opened" : "moved"
    }
    if (start < this.bar.start) return ""
    const bar = this.bar
    if (bar.at !== undefined && now < bar.at) return ""
    const before = `${bar.close} ${bar.high} ${bar.low} ${bar.volume}`
    bar.close = ltp
    bar.high = Math.max(bar.high, ltp)
    bar.low = Math.min(bar.low, ltp)
    bar.at = now
    this.count(volume)
    return before === `${bar.close} ${bar.high} ${bar.low} ${bar.volume}` ? "" : "moved"
  }

  count(volume) {
    const bar = this.bar
    if (volume === null || volume === undefined) { bar.volume = bar.volume ?? 0; return }
    if (bar.base === null || bar.base === undefined || volume < bar.base) bar.base = volume - (bar.volume ?? 0)
    bar.day = volume
    bar.volume = Math.max(bar.volume ?? 0, volume - bar.base)
  }

  finished() {
    const { start, open, high, low, close, volume } = this.bar
    return { start, open, high, low, close, volume }
  }

  // Where in `edges` the bar of that instant is; null outside of them.
  place(at) {
    if (this.edges.length === 0 || at < this.edges[0]) return null
    let [low, high] = [0, this.edges.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.edges[middle] <= at) low = middle
      else high = middle - 1
    }
    return low < this.edges.length - 1 ? low : null // the last edge is an end only
  }

  // When the price that the bar stands on was told last (ms): with the bar, or as `ltp` at `received` if that is the same
  // price. The age of another price is not its own. null where nobody knows.
  toldAt(ltp, received) {
    const times = [this.bar?.at, ltp === this.bar?.close ? received : null].filter(Number.isFinite)
    return times.length ? Math.max(...times) : null
  }

  // Is the time of the bar over?
  isOver(now) {
    return this.bar !== null && this.bar.end !== null && now >= this.bar.end
  }
}
