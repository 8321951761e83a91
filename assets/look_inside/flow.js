// Plays the flow through a module: an SVG that animates itself (explorer/views/flow.py), with a slider and steps.
//
// data: svg, steps (a sentence for each), step (seconds of one).
const drawn = new WeakMap()

export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".flow")
  if (drawn.get(root) === data.svg) return
  drawn.set(root, data.svg)
  const drawing = root.querySelector("div")
  const [previous, play, next] = root.querySelectorAll("button")
  const slider = root.querySelector("input")
  const status = root.querySelector("p")
  drawing.innerHTML = data.svg
  if (drawing.scrollWidth > drawing.clientWidth) drawing.setAttribute("tabindex", "0")
  const svg = drawing.querySelector("svg")
  const duration = data.step * data.steps.length
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches
  slider.max = duration
  slider.step = 0.05
  play.hidden = still

  const stepAt = (time) => Math.min(Math.floor(time / data.step), data.steps.length - 1)
  const showTime = (time) => {
    slider.value = time
    const step = stepAt(time)
    slider.setAttribute("aria-valuetext", `step ${step + 1} of ${data.steps.length}`)
    const text = data.steps[step]
    if (status.textContent !== text) status.textContent = text
  }
  const goTo = (time) => {
    setPlaying(false)
    svg.setCurrentTime(time)
    showTime(time)
  }
  const goToStep = (step) => goTo((Math.min(Math.max(step, 0), data.steps.length - 1) + 1) * data.step - 0.1)
  const setPlaying = (playing) => {
    if (playing) svg.unpauseAnimations()
    else svg.pauseAnimations()
    play.textContent = playing ? "Pause" : "Play"
    status.setAttribute("aria-live", playing ? "off" : "polite")
  }
  const here = () => stepAt(Number(slider.value))

  previous.onclick = () => goToStep(here() - 1)
  next.onclick = () => goToStep(here() + 1)
  play.onclick = () => setPlaying(svg.animationsPaused())
  slider.oninput = () => goTo(still ? (stepAt(Number(slider.value)) + 1) * data.step - 0.1 : Number(slider.value))
  slider.onkeydown = (event) => {
    const move = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key]
    if (move) goToStep(here() + move)
    else if (event.key === " " && !still) play.click()
    else return
    event.preventDefault()
  }

  svg.setCurrentTime(0)
  if (still) goToStep(data.steps.length - 1)
  else setPlaying(true)
  const follow = () => {
    if (!svg.isConnected) return
    if (!svg.animationsPaused()) showTime(svg.getCurrentTime() % duration)
    requestAnimationFrame(follow)
  }
  follow()
}
