// Asks the server every few seconds for the version of the class's news, and requests a run when it is not data.version.
// A hidden tab asks less often. A run that does not follow is requested again.
const EVERY_MS = 2_000;
const HIDDEN_MS = 15_000;
const UNANSWERED_MS = 6_000;
const newest = new WeakMap(); // only the newest call for an element counts: see rerun_after.js

const isBusy = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

export default function ({ data, parentElement, setTriggerValue }) {
  const call = {};
  let requested = -Infinity;
  newest.set(parentElement, call);
  const wait = () => setTimeout(ask, (document.hidden ? HIDDEN_MS : EVERY_MS) * (0.8 + 0.4 * Math.random()));
  async function ask() {
    if (newest.get(parentElement) !== call) return;
    try {
      const answer = await fetch("/class/news", { cache: "no-store" });
      const { version } = await answer.json();
      const isNew = version !== data.version && performance.now() - requested > UNANSWERED_MS;
      if (isNew && !isBusy() && newest.get(parentElement) === call) {
        requested = performance.now();
        setTriggerValue("news", version);
      }
    } catch {
      // the server does not answer: Streamlit shows that the connection is lost
    }
    wait();
  }
  wait();
  return () => newest.get(parentElement) === call && newest.delete(parentElement);
}
