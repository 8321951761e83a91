// The code that components share with the page: it arrives once, in an element of its own, and each place that shows
// the component waits for it. So an edit sends data alone. Both scripts below begin with this text.

function sharedCode(name) {
  const all = (globalThis.explorerCode ??= {})
  if (!all[name]) {
    let provide
    const ready = new Promise((resolve) => (provide = resolve))
    all[name] = { ready, provide }
  }
  return all[name]
}
