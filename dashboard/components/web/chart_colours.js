// The colours of the theme, as plotly reads them. They are asked for again when the theme changes under an open page.

function colourSignature(root) {
  const style = getComputedStyle(root)
  return ["--st-background-color", "--st-text-color", "--st-green-color", "--st-red-color"].map(name => style.getPropertyValue(name)).join()
}

function readColours(root) {
  const style = getComputedStyle(root)
  const of = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise
  const probe = make("canvas").getContext("2d")
  const fade = (colour, share) => {
    probe.fillStyle = colour
    const hex = probe.fillStyle // plotly does not read every way to write a colour: this one it does
    const [r, g, b] = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16))
    return `rgba(${r},${g},${b},${share})`
  }
  const [text, paper, up, down] = [of("--st-text-color", "#222222"), of("--st-background-color", "#ffffff"), of("--st-green-color", "#0b8f5f"), of("--st-red-color", "#cf3346")]
  const lines = of("--st-chart-categorical-colors", "").split(",").map(one => one.trim()).filter(Boolean)
  const free = lines.filter(one => ![up, down].some(taken => taken.toLowerCase() === one.toLowerCase()))
  return {
    signature: colourSignature(root), fade, text, paper, up, down, upSoft: fade(up, 0.45), downSoft: fade(down, 0.45),
    muted: fade(text, 0.66), grid: fade(text, 0.08), guide: fade(text, 0.25), font: of("--st-font", "sans-serif"),
    provisional: fade(of("--st-orange-color", "#d97706"), 0.04), hole: of("--st-orange-color", "#d97706"),
    buy: of("--st-blue-color", "#1f5fe0"), sell: of("--st-violet-color", "#7a4fd0"),
    // green and red mean a direction here, so no line of another meaning has them
    lines: free.length > 2 ? free : [of("--st-blue-color", "#1f5fe0"), of("--st-orange-color", "#b7791f"), of("--st-violet-color", "#7a4fd0"), of("--st-primary-color", "#0e7c93")],
  }
}
