// The script of every place that shows a component with shared code. data: code (name of the component), and its own.

export default function (component) {
  sharedCode(component.data.code).ready.then((show) => show(component))
}
