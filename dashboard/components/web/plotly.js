// The drawing library, loaded once for the whole page, whichever chart on it asks first.

function loadPlotly(address) {
  globalThis.deskPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = address
    script.onload = () => resolve(globalThis.Plotly)
    script.onerror = () => { globalThis.deskPlotly = null; reject(new Error("the drawing library did not come")) }
    document.head.append(script)
  })
  return globalThis.deskPlotly
}

// Plotly puts its style rules into the document; inside a component they must be said again.
function adoptStyles(plot) {
  const place = plot.getRootNode()
  if (place === document || place.querySelector("style.of-plotly")) return
  const rules = [...document.querySelectorAll('head style[id^="plotly.js-style"]')]
    .flatMap(style => [...style.sheet.cssRules].map(rule => rule.cssText))
  place.prepend(Object.assign(make("style", "of-plotly"), { textContent: rules.join("\n") }))
}
