// What happened to orders, and what the desk warns of, on every page: a notice in the corner for a while, the last ones behind a button with the
// count of those that nobody has looked at, and a sound for who wants one. Comes by the page and by the push channel.

const NOTICE_MS = 9000
const TROUBLE_MS = 20000
const OLD_SECONDS = 30 // what a page that was just opened hears of so late is no news any more
const MOST_NOTICES = 4
const MOST_KEPT = 30
const RECOLOUR_MS = 250
const SEEN = "desk-news-seen"
const TOLD = "desk-news-told"
const SOUND = "desk-sound"
const COLOURS = { fill: "green", found: "green", reject: "red", cancel: "gray", unknown: "orange", alert: "orange" }
const NAMES = { fill: "Fill", reject: "Rejected", cancel: "Cancelled", unknown: "Not known", found: "Found", alert: "Alert" }
const TONES = { fill: [660, 880], found: [660, 880], cancel: [520], reject: [300, 220], unknown: [440, 440, 440], alert: [440, 330] }

// Storage may be forbidden; then nothing is remembered.
function remembered(store, name) {
  try { return JSON.parse(globalThis[store].getItem(name)) } catch { return null }
}

function remember(store, name, value) {
  try { globalThis[store].setItem(name, JSON.stringify(value)) } catch { /* forbidden */ }
}

class Notices {
  constructor(root, bell) {
    this.bell = bell
    this.list = root.querySelector(".news")
    this.kept = []
    bell.onclick = () => this.open(this.list.hidden)
    this.list.onkeydown = event => { if (event.key === "Escape") { this.open(false); bell.focus() } }
    document.addEventListener("pointerdown", event => {
      if (!this.list.hidden && !event.composedPath().includes(root)) this.open(false)
    })
    this.draw()
  }

  // Each is told once in a tab, whichever way it came, and however often.
  take(list) {
    const run = list[0]?.run
    if (run === undefined || (this.kept[0] && this.kept[0].run === run && list.at(-1).n <= this.kept.at(-1).n)) return
    if (this.kept[0]?.run !== run) this.kept = []
    const known = this.kept.at(-1)?.n ?? 0
    this.kept = [...this.kept, ...list.filter(one => one.n > known)].slice(-MOST_KEPT)
    const told = remembered("sessionStorage", TOLD)
    const last = told?.run === run ? told.n : 0
    const fresh = list.filter(one => one.n > Math.max(last, known) && one.ago <= OLD_SECONDS)
    remember("sessionStorage", TOLD, { run, n: Math.max(last, this.kept.at(-1).n) })
    for (const one of fresh) this.show(one)
    if (fresh.length > 0) this.sound(fresh.at(-1))
    if (!this.list.hidden) this.seen()
    this.draw()
  }

  get unread() {
    const seen = remembered("localStorage", SEEN)
    return this.kept.filter(one => seen?.run !== one.run || one.n > seen.n).length
  }

  seen() {
    const last = this.kept.at(-1)
    if (last) remember("localStorage", SEEN, { run: last.run, n: last.n })
  }

  open(wanted) {
    if (wanted) this.seen()
    this.list.hidden = !wanted
    this.bell.setAttribute("aria-expanded", String(wanted))
    this.draw()
  }

  draw() {
    const count = this.unread
    setText(this.bell, count ? `${count} new` : "Notices")
    this.bell.dataset.unread = count ? "yes" : "no"
    this.bell.setAttribute("aria-label", count ? `${count} new notices` : "Notices")
    if (this.list.hidden) return
    const rows = [...this.kept].reverse().map(one => {
      const row = make("p")
      row.dataset.kind = one.kind
      row.dataset.good = one.good ? "yes" : "no"
      row.append(make("time", "", one.time), document.createTextNode(one.text))
      return row
    })
    if (rows.length === 0) rows.push(make("p", "muted", "Fills, rejections, cancellations and alerts are told here."))
    const label = make("label")
    const box = make("input")
    box.type = "checkbox"
    box.checked = remembered("localStorage", SOUND) === true
    box.onchange = () => {
      remember("localStorage", SOUND, box.checked)
      if (box.checked) this.sound({ kind: "fill" })
    }
    label.append(box, document.createTextNode("With a sound"))
    this.list.replaceChildren(...rows, label, keysSwitch())
  }

  // Over everything, dialogs too: outside of this component, with its colours taken along.
  corner() {
    if (this.place?.isConnected) return this.place
    document.querySelectorAll("#desk-notices").forEach(old => old.remove())
    const host = make("div")
    host.id = "desk-notices"
    host.style.cssText = "position:fixed;right:16px;bottom:16px;z-index:1000100;display:flex;flex-direction:column;gap:8px;max-width:min(26rem,calc(100vw - 32px));"
    host.setAttribute("role", "status")
    host.setAttribute("aria-live", "polite")
    document.body.append(host)
    this.place = host
    return host
  }

  // The theme may come after a notice, and change under it: a page that opens dark is light for its first moment.
  paint() {
    const notes = this.place?.isConnected ? [...this.place.children] : []
    if (notes.length === 0) {
      clearInterval(this.painting)
      this.painting = null
      return
    }
    this.painting ??= setInterval(() => this.paint(), RECOLOUR_MS)
    const colours = getComputedStyle(this.bell)
    const colour = name => colours.getPropertyValue(`--st-${name}`).trim()
    if (!colour("text-color")) return // the frame has left the page: its notices stay as they are
    for (const { style, dataset } of notes) {
      style.fontFamily = colour("font") || "sans-serif"
      style.color = colour("text-color")
      style.backgroundColor = colour("background-color")
      style.borderColor = colour("border-color")
      style.borderLeftColor = colour(`${COLOURS[dataset.kind] ?? "blue"}-color`)
    }
  }

  show(one) {
    const place = this.corner()
    const note = make("div")
    note.dataset.kind = one.kind
    note.dataset.order = one.order
    note.style.cssText =
      "display:flex;gap:10px;align-items:flex-start;padding:9px 12px;font:14px sans-serif;" +
      "border:1px solid;border-left-width:5px;border-radius:6px;box-shadow:0 6px 20px rgb(0 0 0 / .25);"
    const words = make("div")
    words.style.flex = "1"
    const name = NAMES[one.kind] ?? "Notice"
    const told = one.text.startsWith(`${name}: `) ? one.text.slice(name.length + 2) : one.text
    words.append(make("b", "", name), document.createTextNode(` ${told}`))
    // Five orders that are cancelled together are one notice with a count.
    const alike = [...place.children].find(other => other.dataset.text === one.text && other.dataset.order !== one.order)
    const times = Number(alike?.dataset.times ?? 0) + 1
    if (times > 1) words.append(make("b", "", ` ×${times}`))
    note.dataset.text = one.text
    note.dataset.times = times
    const close = make("button", "", "×")
    close.setAttribute("aria-label", "Close this notice")
    close.style.cssText = "border:0;background:none;color:inherit;font-size:18px;line-height:1;cursor:pointer;padding:0 2px;"
    close.onclick = () => note.remove()
    note.append(words, close)
    // An order that is filled bit by bit keeps one notice.
    const before = alike ?? (one.order && [...place.children].find(other => other.dataset.order === one.order))
    if (before) before.replaceWith(note)
    else place.append(note)
    while (place.children.length > MOST_NOTICES) place.firstChild.remove()
    this.paint()
    setTimeout(() => note.remove(), one.good ? NOTICE_MS : TROUBLE_MS)
  }

  // A browser lets a page be heard only after somebody has touched it.
  sound(one) {
    if (remembered("localStorage", SOUND) !== true) return
    try {
      const audio = (globalThis.deskAudio ??= new AudioContext())
      audio.resume?.()
      ;(TONES[one.kind] ?? [520]).forEach((pitch, i) => {
        const tone = audio.createOscillator()
        const volume = audio.createGain()
        const start = audio.currentTime + i * 0.16
        tone.frequency.value = pitch
        volume.gain.setValueAtTime(0.12, start)
        volume.gain.exponentialRampToValueAtTime(0.001, start + 0.15)
        tone.connect(volume).connect(audio.destination)
        tone.start(start)
        tone.stop(start + 0.15)
      })
    } catch (error) {
      console.warn("no sound", error)
    }
  }
}
