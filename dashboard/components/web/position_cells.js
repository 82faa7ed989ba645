// The cells of position_table.js: what each kind of column shows at the price of its row, and how it is written.

function classOf(column) { return `k-${column.kind}${column.rank > 1 ? ` p${column.rank}` : ""}` }

const LINES = new Set(["money", "gap", "percent"])

// What a cell shows: a figure in money or percent at the row's price, `null` where something of it is not known.
function valueOf(column, row, i) {
  const value = row.v[i]
  if (column.kind === "symbol") return [row.s, row.n, row.g, row.x]
  if (column.kind === "ltp") return row.l
  if (!LINES.has(column.kind)) return value
  if (value === null || (value[1] !== 0 && row.l === null)) return null
  const money = value[0] + (value[1] === 0 ? 0 : value[1] * row.l)
  if (column.kind === "percent") return value[2] ? (money / value[2]) * 100 : null
  return rounded(money)
}

// To the paisa, as it is shown: the sum of what is shown is the sum that is shown.
function rounded(money) { return (Math.sign(money) * Math.round(Math.abs(money) * 100 + 1e-6)) / 100 }

function sortValue(column, row, i) {
  if (column.kind === "symbol") return row.s
  if (column.kind === "age") return ageOrder(row)
  return valueOf(column, row, i) ?? null
}

// Coloured by its sign, which stands there as well; `tone` "plain": an amount; "quiet": signed and without colour.
function drawMoney(cell, value, tone, write = (money, signed) => digits(money, 2, signed)) {
  cell.classList.remove("up", "down", "flat", "way")
  if (value === null || value === undefined) { setText(cell, MISSING); return }
  if (!tone) cell.classList.add("way", direction(value))
  setText(cell, write(value, tone !== "plain"))
}

function rupeeText(value, signed) {
  const text = digits(value, 2, signed)
  return /^[+\u2212]/.test(text) ? `${text[0]}₹${text.slice(1)}` : `₹${text}`
}

// Is a difference more than a price that has moved since the broker spoke, and what is to be said of it?
function gapWords(difference, unexplained) {
  if (unexplained === undefined) return [false, "The broker told no price of its own to compare at"]
  const moved = rupeeText(difference - unexplained, true)
  if (Math.abs(unexplained) < 0.01) return [false, `${moved}: the price has moved since the broker spoke`]
  const odd = rupeeText(unexplained, true)
  return [true, `${odd} remains at the broker's own price: both count differently. ${moved}: the price has moved since`]
}

// The same of a sum of differences, `lines` of its rows in a few words; empty where nothing can be said.
function gapSumWords(lines, sum) {
  if (Math.abs(sum) < 0.005 || lines.some(line => line[2] === undefined)) return [false, ""]
  const odd = lines.some(line => Math.abs(line[2]) >= 0.01)
  return [odd, odd ? "counted differently" : "price moved since"]
}

// The symbol of a future or an option in pieces that are read, and broken into lines, as one: what it is on, the space
// after it, then expiry, strike and side, which tell one contract from the next. Together they are the symbol.
const SPACED = /^(.+?)( )((?:[\d.]+ (?:CE|PE))|FUT)( )(\d\d? [A-Z]{3} \d\d)$/ // NIFTY 25000 CE 24 NOV 26
const COMPACT = /^(.+?)()(\d\d(?:[A-Z]{3}|[1-9OND]\d\d))()([\d.]+(?:CE|PE)|FUT)$/ // NIFTY26NOV25000CE, weekly NIFTY26N2425000CE
const CONTRACT = /^[^|]*_(FO|COM)\|/

function contractPieces(symbol, key) {
  if (!CONTRACT.test(key)) return null
  return (symbol.match(SPACED) ?? symbol.match(COMPACT))?.slice(1) ?? null
}

const DRAW = {
  symbol(cell, [symbol, name, tag, problem], row) {
    cell.replaceChildren()
    const top = make("div", "top")
    const chip = symbolChip("sym", symbol, row.k)
    const pieces = contractPieces(symbol, row.k)
    if (pieces) {
      const [head, space, first, between, last] = pieces
      const rest = make("span", "rest")
      rest.append(make("span", "piece", first), between, make("span", "piece", last))
      chip.replaceChildren(head, space, rest)
    }
    cell.classList.toggle("contract", pieces !== null)
    chip.tabIndex = -1 // rows are walked by arrows; Enter opens theirs
    top.append(chip)
    if (tag) top.append(make("span", "tag", tag))
    cell.append(top)
    if (problem || name) cell.append(make("div", problem ? "name problem" : "name muted", problem || name))
    cell.title = problem ? `${symbol}: ${problem}` : `${symbol} · ${name}`
  },
  ltp(cell, value, row) {
    setText(cell, digits(value, row.d))
    cell.title = row.b ? "The broker's own last price: no quote of it has come yet" : ""
  },
  price(cell, value, row) { setText(cell, digits(value, row.d)) },
  quantity(cell, value) { setText(cell, digits(value, 0)) },
  signed(cell, value) { setText(cell, digits(value, 0, true)) },
  text(cell, value) { setText(cell, value ?? MISSING) },
  money(cell, value, row, column) { drawMoney(cell, value, column.tone) },
  percent(cell, value) {
    cell.classList.remove("up", "down", "flat")
    cell.classList.add("way", direction(value ?? 0))
    setText(cell, value === null ? MISSING : `${digits(value, 2, true)}%`)
  },
  // Only what a price that has moved does not explain is worth a colour: [at nothing, per rupee, what remains].
  gap(cell, value, row, column, told) {
    drawMoney(cell, value, "quiet")
    const [odd, why] = told && value !== null ? gapWords(value, told[2]) : [false, ""]
    cell.classList.toggle("odd", odd)
    cell.title = why
  },
  age() {},
}
