// A price's way, stretch by stretch: how many of all prices took how long.

const BARS = 84
const FOOT = 16

class HealthHops {
  constructor(root) {
    this.list = root.querySelector(".hops")
    this.views = []
    this.list.replaceChildren()
  }

  receive() {
    setAttribute(this.list, "aria-label", this.data.label)
    this.data.hops.forEach((hop, place) => {
      const view = this.views[place] ?? this.make(place)
      view.hop = hop
      setText(view.title, hop.title)
      setText(view.hint, hop.hint)
      const [half, most, nearly] = hop.p
      const told = hop.count
        ? [["prices", shortNumber(hop.count)], ["half within", msText(half)], ["95 %", msText(most)], ["99 %", msText(nearly)]]
        : [["prices", "none yet"]]
      view.figures.replaceChildren(...told.map(([name, value]) => {
        const pair = document.createElement("div")
        const term = document.createElement("dt")
        const figure = document.createElement("dd")
        term.textContent = name
        figure.textContent = value
        pair.append(term, figure)
        return pair
      }))
    })
    redrawWith(this, this.list)
    this.draw()
  }

  close() { redrawNoMore(this) }

  make(place) {
    const item = document.createElement("li")
    item.className = "hop"
    const [title, hint, figures] = ["h2", "p", "dl"].map(tag => document.createElement(tag))
    figures.className = "figures"
    const svg = document.createElementNS(SVG, "svg")
    setAttribute(svg, "class", "bars")
    setAttribute(svg, "aria-hidden", "true") // the figures above say it in words
    item.append(title, hint, figures, svg)
    this.list.append(item)
    return (this.views[place] = { title, hint, figures, svg })
  }

  draw() {
    for (const { svg, hop } of this.views) {
      const width = Math.max(120, svg.clientWidth || 240)
      setAttribute(svg, "viewBox", `0 0 ${width} ${BARS}`)
      const parts = [shape("line", { x1: 0, x2: width, y1: BARS - FOOT + 0.5, y2: BARS - FOOT + 0.5 })]
      const used = hop.bars.map((bar, place) => [...bar, place]).filter(([, share]) => share > 0)
      if (used.length) {
        const first = Math.max(0, used[0][2] - 1)
        const end = Math.min(hop.bars.length, used.at(-1)[2] + 2)
        const shown = hop.bars.slice(first, end)
        const highest = Math.max(...shown.map(([, share]) => share))
        const step = width / shown.length
        const every = Math.ceil(58 / step)
        shown.forEach(([bound, share], place) => {
          const height = (share / highest) * (BARS - FOOT - 4)
          if (share > 0) parts.push(shape("rect", { x: place * step + 1, width: Math.max(1, step - 2), y: BARS - FOOT - Math.max(1, height), height: Math.max(1, height) }))
          if (place % every === 0 && (place + 0.5) * step < width - 20) {
            const label = bound === null ? "more" : msText(bound)
            parts.push(shape("text", { x: (place + 1) * step, y: BARS - 4, "text-anchor": "middle" }, label))
          }
        })
      }
      svg.replaceChildren(...parts)
    }
  }
}

function msText(ms) {
  if (ms === null || ms === undefined) return MISSING
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(2))} s`
  return `${Number(ms.toPrecision(2))} ms`
}

export default component => viewOf(component, root => new HealthHops(root))
