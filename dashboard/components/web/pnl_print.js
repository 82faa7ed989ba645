export default function (component) {
  const { data, parentElement } = component
  const button = parentElement.querySelector("#print")
  button.textContent = data.label
  button.onclick = () => window.print()
}
