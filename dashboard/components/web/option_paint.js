// How a cell of an option chain shows its figures, by the kind of its column.

function nearest(strikes, price) {
  return strikes.reduce((best, strike) => (best === null || Math.abs(strike - price) < Math.abs(best - price) ? strike : best), null)
}

function withArrow(value, text) {
  const mark = arrowOf(value)
  return mark && mark !== "=" ? `${mark} ${text}` : text
}

function signedShort(value) {
  if (value === null || value === undefined) return MISSING
  return value > 0 ? `+${shortNumber(value)}` : shortNumber(value)
}

function twoLines(cell, upper, lower, tone) {
  let [over, under] = cell.children
  if (!over) {
    over = make("span", "over")
    under = make("span", "under")
    cell.replaceChildren(over, under)
  }
  setText(over, upper)
  setText(under, lower)
  under.className = `under ${tone}`
}

const CHAIN_PAINT = {
  ltp(cell, [ltp, percent], decimals) {
    const moved = percent === null ? MISSING : withArrow(percent, `${digits(percent, 1, true)}%`)
    twoLines(cell, digits(ltp, decimals), moved, direction(percent ?? 0))
  },
  pair(cell, [bid, ask], decimals) { twoLines(cell, digits(bid, decimals), digits(ask, decimals), "muted") },
  percent(cell, [value], decimals) { setText(cell, value === null ? MISSING : `${digits(value, decimals)}%`) },
  signed(cell, [value], decimals) { setText(cell, digits(value, decimals)) },
  plain(cell, [value], decimals) { setText(cell, digits(value, decimals)) },
  quantity(cell, [value]) {
    setText(cell, shortNumber(value))
    cell.title = value === null ? "not available" : digits(value, 0)
  },
  change(cell, [value]) {
    for (const tone of ["up", "down", "flat"]) cell.classList.toggle(tone, tone === direction(value ?? 0))
    setText(cell, signedShort(value))
    cell.title = value === null ? "not available" : digits(value, 0, true)
  },
  bar(cell, [value]) {
    setText(cell, shortNumber(value))
    cell.title = value === null ? "not available" : digits(value, 0)
  },
}
