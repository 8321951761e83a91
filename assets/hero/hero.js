// Plays the moving picture of a lesson (explorer/views/heroes): an SVG with a timeline. It plays once when it comes into
// view, unless the reader prefers no motion: then it shows its end, and the slider steps through it.
//
// data: svg, narrow_svg (for a phone), seconds, steps [[from second, sentence], …].

const PHONE = 600 // pixels: a stage of less width shows the narrow picture

const views = new WeakMap()

export default function (component) {
  const { data, parentElement } = component
  const view = views.get(parentElement) ?? create(parentElement)
  if (view.data?.svg === data.svg) return
  view.data = data
  view.slider.max = data.seconds
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches
  view.time = isStill ? data.seconds : 0
  draw(view)
  if (!isStill) view.observer.observe(view.stage)
}

function draw(view) {
  view.isNarrow = view.stage.clientWidth < PHONE
  view.stage.innerHTML = view.isNarrow ? view.data.narrow_svg : view.data.svg
  view.svg = view.stage.querySelector("svg")
  view.svg.pauseAnimations()
  seek(view, view.time)
}

function create(parent) {
  const find = (name) => parent.querySelector(name)
  const view = { stage: find(".stage"), button: find("button"), slider: find("input"), text: find("span"), time: 0, playing: false }
  view.button.onclick = () => (view.playing ? pause(view) : play(view))
  view.slider.oninput = () => {
    pause(view)
    seek(view, Number(view.slider.value))
  }
  view.observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return
    view.observer.disconnect()
    play(view)
  })
  new ResizeObserver(() => {
    if (view.data && view.stage.clientWidth && view.isNarrow !== view.stage.clientWidth < PHONE) draw(view)
  }).observe(view.stage)
  views.set(parent, view)
  return view
}

function play(view) {
  if (view.time >= view.data.seconds) seek(view, 0)
  view.playing = true
  view.button.setAttribute("aria-label", "Pause")
  let before = performance.now()
  const frame = (now) => {
    if (!view.playing || !view.stage.isConnected) return
    seek(view, view.time + (now - before) / 1000)
    before = now
    if (view.time < view.data.seconds) requestAnimationFrame(frame)
    else pause(view)
  }
  requestAnimationFrame(frame)
}

function pause(view) {
  view.playing = false
  view.button.setAttribute("aria-label", "Play")
}

function seek(view, seconds) {
  view.time = Math.min(Math.max(seconds, 0), view.data.seconds)
  view.svg.setCurrentTime(view.time)
  view.slider.value = view.time
  const text = view.data.steps.findLast(([from]) => from <= view.time)?.[1] ?? ""
  if (view.text.textContent !== text) view.text.textContent = text
  view.slider.setAttribute("aria-valuetext", text)
}
