// Keys that work on every page: / searches, t leads to the ticket. They rest while somebody types, while a dialog is
// open, and for who has put them away (whoever speaks to the computer must be able to). Symbols ask for their instrument
// the same way.

const KEYS_OFF = "desk-keys-off"
const ASKED = "desk-instrument" // the event of showInstrument in shared.js
const FOCUS_MS = 4000

class Keys {
  constructor(tell) {
    this.tell = tell
    this.pressed = event => this.press(event)
    this.asked = event => this.tell({ key: String(event.detail) })
  }

  listen() {
    if (this.listening) return
    this.listening = true
    document.addEventListener("keydown", this.pressed)
    globalThis.addEventListener(ASKED, this.asked)
  }

  rest() {
    this.listening = false
    document.removeEventListener("keydown", this.pressed)
    globalThis.removeEventListener(ASKED, this.asked)
  }

  press(event) {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !["/", "t"].includes(event.key)) return
    const at = event.composedPath()[0]
    if (at?.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(at?.tagName)) return
    if (remembered("localStorage", KEYS_OFF) === true || document.querySelector('[role="dialog"]')) return
    event.preventDefault()
    if (event.key === "t") return this.tell({ page: "ticket" })
    this.tell({ key: "" })
    this.focus(performance.now() + FOCUS_MS)
  }

  // The search comes a moment later, from the desk.
  focus(end) {
    const field = document.querySelector('[role="dialog"] input')
    if (field) field.focus()
    else if (performance.now() < end) setTimeout(() => this.focus(end), 50)
  }
}

// The switch below the notices.
function keysSwitch() {
  const label = make("label")
  const box = make("input")
  box.type = "checkbox"
  box.checked = remembered("localStorage", KEYS_OFF) !== true
  box.onchange = () => remember("localStorage", KEYS_OFF, !box.checked)
  label.append(box, document.createTextNode("Keys: / finds an instrument, t is the ticket"))
  return label
}
