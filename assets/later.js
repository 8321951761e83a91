// Asks the server to look again after data.ms milliseconds. Each run of this function replaces the timer before it.
const timers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  clearTimeout(timers.get(parentElement));
  timers.set(parentElement, setTimeout(() => setTriggerValue("due", true), data.ms));
  return () => clearTimeout(timers.get(parentElement));
}
