// Which desk this is, so wide that it cannot be missed.

class Banner {
  constructor(root) {
    this.banner = root.querySelector(".banner")
    this.title = root.querySelector(".title")
    this.text = root.querySelector(".text")
  }

  receive() {
    const { tone, title, text, brief } = this.data
    this.banner.dataset.tone = tone
    this.banner.classList.toggle("brief", brief)
    setText(this.title, title)
    setText(this.text, text)
  }
}

export default function (component) {
  return viewOf(component, root => new Banner(root))
}
