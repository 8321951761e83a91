// The tooltip of a box, shared by the diagram and the strip: their scripts begin with this text.

const TIP_GAP = 6 // pixels between a box and its tooltip

// Shows a text beside a box, on the first of these sides with room for it within the root, so that it never covers the
// box whose numbers it has. A single side is taken in any case; of several without room, the bottom of the root.
function showTip({ tip, root }, box, text, sides) {
  tip.textContent = text
  tip.hidden = false
  const [frame, area] = [root.getBoundingClientRect(), box.getBoundingClientRect()]
  const scale = frame.width / root.offsetWidth || 1 // of a page that is zoomed by its style
  const [left, top] = [(area.left - frame.left) / scale, (area.top - frame.top) / scale]
  const [width, height] = [root.clientWidth - tip.offsetWidth, root.clientHeight - tip.offsetHeight] // of the free space
  const x = Math.max(0, Math.min(left, width))
  const y = Math.max(0, Math.min(top, height))
  const places = {
    below: [x, top + area.height / scale + TIP_GAP],
    above: [x, top - tip.offsetHeight - TIP_GAP],
    right: [left + area.width / scale + TIP_GAP, y],
    left: [left - tip.offsetWidth - TIP_GAP, y],
  }
  const isFree = ([x, y]) => x >= 0 && x <= width && y >= 0 && y <= height
  const [only, ...others] = sides
  const [to, down] = others.length ? (sides.map((side) => places[side]).find(isFree) ?? [x, height]) : places[only]
  tip.style.transform = `translate(${to}px, ${down}px)`
}
