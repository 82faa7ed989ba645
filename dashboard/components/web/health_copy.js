// A button that puts a text on the clipboard. Beyond this machine without TLS, browsers give no clipboard to scripts:
// then the old way is tried, by a field that is selected.

class HealthCopy {
  constructor(root) {
    this.root = root
    this.button = root.querySelector(".copy")
    this.said = root.querySelector(".said")
    this.button.onclick = () => this.copy()
  }

  receive() {
    setText(this.button, this.data.label)
  }

  async copy() {
    const { text } = this.data
    let done = false
    try {
      await navigator.clipboard.writeText(text)
      done = true
    } catch {
      const field = document.createElement("textarea")
      field.value = text
      document.body.append(field)
      field.select()
      done = document.execCommand("copy")
      field.remove()
    }
    setText(this.said, done ? `Copied, ${text.split("\n").length} lines` : "The browser does not allow it: use the copy sign of the text below")
  }
}

export default component => viewOf(component, root => new HealthCopy(root))
