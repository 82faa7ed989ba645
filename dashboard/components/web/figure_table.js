// A table of figures that the desk has worded already: nothing is computed here. A head may sort (the desk does it, over
// all rows and not over those that are here), a row may be opened, or show more rows of its own below it.

class FigureTable {
  constructor(root) {
    this.scroll = root.querySelector(".scroll")
    this.table = root.querySelector("table")
    this.head = root.querySelector("thead")
    this.body = root.querySelector("tbody")
    this.feet = root.querySelector("tfoot")
    this.empty = root.querySelector(".empty")
    this.body.onkeydown = event => this.walk(event)
  }

  receive() {
    const told = JSON.stringify(this.data)
    if (told === this.drawn) return
    const { columns, rows, foot, label, empty, tall, id, old } = this.data
    const another = id !== this.id
    this.drawn = told
    this.id = id
    setAttribute(this.table, "aria-label", label)
    this.scroll.hidden = rows.length === 0
    this.empty.hidden = rows.length > 0
    setText(this.empty, empty ?? "")
    this.table.classList.toggle("old", Boolean(old))
    this.scroll.toggleAttribute("data-tall", Boolean(tall))
    if (tall) this.scroll.style.setProperty("--tall", `${tall}px`)
    this.head.replaceChildren(this.heads(columns))
    this.body.replaceChildren(...rows.flatMap(row => this.rows(row, columns)))
    this.feet.replaceChildren(...(foot ?? []).map(cells => this.row({ cells }, columns)))
    const opens = rows.some(row => row.more?.length)
    setAttribute(this.table, "role", opens ? "treegrid" : null) // only there may a row say that it is open
    const first = this.body.querySelector("tr.can")
    if (first) first.tabIndex = 0
    if (another) this.scroll.scrollTop = 0
  }

  heads(columns) {
    const tr = make("tr")
    for (const column of columns) {
      const th = make("th", column.num ? "num" : "")
      th.scope = "col"
      if (column.rank > 1) th.dataset.rank = column.rank
      if (column.help) th.title = column.help
      if (column.sort) {
        if (column.sorted) setAttribute(th, "aria-sort", column.sorted)
        const button = make("button", "", column.label)
        button.type = "button"
        button.onclick = () => this.component.setTriggerValue("sort", column.id)
        th.append(button)
      } else th.append(make("span", column.hidden ? "sr" : "", column.label))
      tr.append(th)
    }
    return tr
  }

  rows(row, columns) {
    const tr = this.row(row, columns)
    const more = (row.more ?? []).map(one => this.row(one, columns))
    for (const one of more) { one.classList.add("more"); one.hidden = true }
    if (more.length) {
      setAttribute(tr, "aria-expanded", "false")
      tr.classList.add("can")
      tr.tabIndex = -1
      const sign = make("span", "opens", "▸")
      setAttribute(sign, "aria-hidden", "true")
      tr.firstChild.prepend(sign)
      tr.onclick = () => {
        const open = tr.getAttribute("aria-expanded") === "true"
        setAttribute(tr, "aria-expanded", String(!open))
        setText(sign, open ? "▸" : "▾")
        for (const one of more) one.hidden = open
      }
    }
    return [tr, ...more]
  }

  row(row, columns) {
    const tr = make("tr", row.picked ? "picked" : "")
    if (row.id) {
      tr.classList.add("can")
      tr.dataset.id = row.id
      tr.tabIndex = -1
      if (row.says) setAttribute(tr, "aria-label", row.says)
      tr.onclick = () => this.component.setTriggerValue("picked", row.id)
    }
    row.cells.forEach((cell, i) => tr.append(this.cell(cell, columns[i], i === 0)))
    return tr
  }

  cell(told, column, first) {
    const cell = typeof told === "object" && told !== null ? told : { t: told ?? "" }
    const node = make(first ? "th" : "td", [column.num ? "num" : "", cell.tone ?? "", column.wide ? "wide" : "", cell.bar ? "bar" : ""].filter(Boolean).join(" "))
    if (first) node.scope = "row"
    if (column.rank > 1) node.dataset.rank = column.rank
    if (cell.title) node.title = cell.title
    if (cell.bar) {
      const [zero, from, to, tone] = cell.bar // shares of the width
      const rail = make("div", "rail")
      rail.style.setProperty("--zero", `${zero * 100}%`)
      const bar = make("i", tone)
      bar.style.left = `${from * 100}%`
      bar.style.width = `${(to - from) * 100}%`
      rail.append(bar)
      node.append(rail)
      return node
    }
    if (cell.k) node.append(symbolChip("sym", cell.t, cell.k))
    else node.append(make(first || cell.strong ? "b" : "span", cell.tone ? `way ${cell.tone}` : "", cell.t))
    for (const [text, warn] of cell.tags ?? []) node.append(make("span", warn ? "tag warn" : "tag", text))
    if (cell.s) node.append(make("span", "sub", cell.s))
    if (cell.n) node.append(make("span", "sub thin", cell.n))
    return node
  }

  walk(event) {
    const tr = event.target.closest("tr.can")
    if (!tr || event.target.closest("button")) return
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); tr.click(); return }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!by) return
    const all = [...this.body.querySelectorAll("tr.can")]
    const next = all[all.indexOf(tr) + by]
    if (!next) return
    event.preventDefault()
    tr.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  }
}

export default function (component) {
  return viewOf(component, root => new FigureTable(root))
}
