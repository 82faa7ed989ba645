// Own trades, a triangle at their bar and price, and own open orders, a line at their price. Green and red mean the way
// of a price here, so buying and selling have colours and shapes of their own.

const MARKS = {
  BUY: { symbol: "triangle-up", tone: "buy", word: "Bought" },
  SELL: { symbol: "triangle-down", tone: "sell", word: "Sold" },
}

// Where the bar of that number is drawn: in the middle of those that it was joined with.
function placeOfNumber(number, { first, step }) {
  return first + Math.floor((number - first) / step) * step + (step - 1) / 2
}

function markTraces({ data, bars, scale, colours, bases }) {
  return Object.entries(MARKS).flatMap(([side, { symbol, tone }]) => {
    const trades = data.marks.filter(mark => mark.at !== null && mark.side === side)
    if (!trades.length) return []
    return [{
      type: "scatter", mode: "markers", yaxis: "y",
      x: trades.map(mark => (mark.at >= data.total ? mark.at : placeOfNumber(mark.at, { ...data.bars, step: bars.step }))),
      y: trades.map(mark => scale.to(mark.price, bases?.own)),
      marker: { symbol, size: 12, color: colours[tone], line: { color: colours.paper, width: 1.5 } },
    }]
  })
}

function orderShapes({ data, scale, colours, bases }) {
  return data.marks.filter(mark => mark.at === null).map(mark => {
    const colour = colours[MARKS[mark.side].tone]
    const at = scale.to(mark.price, bases?.own)
    return { type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: at, y1: at, line: { color: colour, width: 1.5, dash: "dashdot" } }
  })
}

// Words of those lines, on a ground of their own: candles behind them would leave nothing to read.
function orderLabels({ data, scale, colours, bases }) {
  return data.marks.filter(mark => mark.at === null).map(mark => ({
    text: plainText(mark.text), xref: "paper", x: 0, xanchor: "left", yref: "y", y: scale.to(mark.price, bases?.own), yanchor: "bottom",
    showarrow: false, bgcolor: colours.paper, borderpad: 1, font: { size: 11, color: colours[MARKS[mark.side].tone] },
  }))
}

// What is told of the own trades in the bar that is drawn at `place`.
function marksAt(place, { data, bars }) {
  const half = Math.max(1, bars.step) / 2
  return data.marks.filter(mark => mark.at !== null && Math.abs(mark.at - place) <= half - (bars.step > 1 ? 0.01 : 0.25)).map(mark => mark.text)
}
