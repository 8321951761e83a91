// Asks the server to look again after data.ms milliseconds. Each run of this function replaces the timer before it.
// While a run of the script is on or asked for it waits: Streamlit folds what is asked meanwhile into one run, of the
// page that the last one to ask was on, so a look in that moment would undo a click that leads to another page.
const timers = new WeakMap();
const BUSY_MS = 50;

const busy = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

export default function ({ data, parentElement, setTriggerValue }) {
  const start = (ms) => timers.set(parentElement, setTimeout(() => (busy() ? start(BUSY_MS) : look()), ms));
  const look = () => setTriggerValue("due", true);
  clearTimeout(timers.get(parentElement));
  start(data.ms);
  return () => clearTimeout(timers.get(parentElement));
}
