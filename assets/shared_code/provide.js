// The end of the script that brings the code: before it stands the component's own, with its function show.
// data: name (of the component), constants (what show gets beside the component: the same for every place).

export default function ({ data }) {
  sharedCode(data.name).provide((component) => show(component, data.constants))
}
