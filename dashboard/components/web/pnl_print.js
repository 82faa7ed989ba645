// The button of the printed view.

class Print {
  constructor(root) {
    this.button = root.querySelector("#print")
    this.button.onclick = () => window.print()
  }

  receive() {
    this.button.textContent = this.data.label
  }
}

export default function (component) {
  return viewOf(component, root => new Print(root))
}
