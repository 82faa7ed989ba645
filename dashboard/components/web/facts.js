// Names and figures in groups. A figure that means nothing is a dash with the reason below it.

class Facts {
  constructor(root) {
    this.box = root.querySelector(".groups")
  }

  receive() {
    const told = JSON.stringify(this.data)
    if (told === this.drawn) return
    this.drawn = told
    setAttribute(this.box, "data-across", this.data.across ?? 3)
    this.box.replaceChildren(...this.data.groups.map(group => {
      const section = make("section")
      const list = make("dl")
      for (const row of group.rows) {
        const line = make("div")
        const value = make("dd")
        value.append(make("b", row.tone ?? "", row.value))
        if (row.note) value.append(make("small", "", row.note))
        line.append(make("dt", "", row.name), value)
        list.append(line)
      }
      if (group.title) section.append(make("h2", "", group.title))
      section.append(list)
      return section
    }))
  }
}

export default function (component) {
  return viewOf(component, root => new Facts(root))
}
