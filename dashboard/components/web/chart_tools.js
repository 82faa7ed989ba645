// What can be done with a chart by a button: zoom, the logarithmic axis, a picture, the whole screen.

const ICONS = {
  out: "M3 8h10", in: "M3 8h10M8 3v10", fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  end: "M3 3l5 5-5 5M12 3v10", picture: "M2 4h3l1-2h4l1 2h3v9H2zM8 11a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2",
  full: "M9 2h5v5M14 2 9 7M7 14H2V9M2 14l5-5",
}

// Plotly reads some markup in texts; names come from outside.
function plainText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
}

class Tools extends Reading {
  buildTools() {
    const tool = (name, label, act, text) => {
      const button = make("button", "", text)
      if (!text) button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>` // our own marks
      button.type = "button"
      button.title = label
      button.setAttribute("aria-label", label)
      button.onclick = act
      return button
    }
    this.logButton = tool("log", "Logarithmic price axis (L)", () => this.toggleLog(), "Log")
    this.tools.replaceChildren(
      tool("out", "Zoom out (−)", () => this.zoom(1.6)), tool("in", "Zoom in (+)", () => this.zoom(0.6)),
      tool("fit", "Show all (0, or a double click)", () => this.fit()), tool("end", "To the newest bar", () => this.toEnd()),
      this.logButton, tool("picture", "Save a picture", () => this.picture()), tool("full", "Whole screen", () => this.wholeScreen()),
    )
  }

  setLog(wanted) {
    this.logarithmic = wanted
    this.logButton.setAttribute("aria-pressed", String(wanted))
  }

  toggleLog() {
    this.setLog(!this.logarithmic)
    this.redraw()
    this.ask("log", this.logarithmic, 0)
  }

  wholeScreen() {
    if (document.fullscreenElement) document.exitFullscreen()
    else this.root.requestFullscreen?.().then(() => this.redraw(), () => {})
  }

  // The lines of a picture, named: each group of them once.
  named(layout) {
    layout.showlegend = true
    layout.legend = { orientation: "h", traceorder: "normal", x: 0, y: 1.005, yanchor: "bottom", xanchor: "left", font: { size: 12 }, bgcolor: "rgba(0,0,0,0)" }
    const told = new Set()
    return this.traces.map(trace => {
      if (trace.name === undefined || told.has(trace.name)) return trace
      told.add(trace.name)
      return { ...trace, name: plainText(trace.name), showlegend: true }
    })
  }

  // A picture says what it shows, and of which source: it will be looked at without the desk around it.
  async picture() {
    if (!this.library || !this.traces) return
    const { data, colours } = this
    const layout = this.figure()
    const until = momentText(this.forming.bar?.start ?? this.bars.time.at(-1) ?? data.now, data.unit)
    layout.margin = { ...layout.margin, t: 88 }
    layout.height += 82
    layout.paper_bgcolor = colours.paper
    layout.title = {
      text: plainText(`${data.symbol} · ${data.interval}`), x: 0.008, xanchor: "left", yref: "container", y: 0.985, yanchor: "top", font: { size: 17, color: colours.text },
      subtitle: {
        text: plainText([`to ${until}`, data.origin].filter(Boolean).join("  ·  ")), font: { size: 12, color: colours.muted },
      },
    }
    const options = { format: "png", width: layout.width, height: layout.height, scale: 2 }
    const address = await this.library.toImage({ data: this.named(layout), layout }, options)
    const link = make("a")
    link.href = address
    link.download = data.file
    link.click()
  }
}
