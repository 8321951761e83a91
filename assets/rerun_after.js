// Requests a rerun after data.ms milliseconds, and repeats the request if no rerun follows.
//
// Streamlit calls the function again on each change of data, but cleans up after an earlier call only if that one was
// still loading: too late, because the newer call has started. So only the newest call for an element counts.
//
// Streamlit also merges the requests that arrive before a run starts into one run, of the page that sent the last one: a
// request in that moment would undo a click that leads to another page. So this waits for runs and for page changes.
const newest = new WeakMap();
const BUSY_MS = 50;
const UNANSWERED_MS = 5_000;
const LEAVING_MS = 10_000; // no page takes longer to arrive
const GOING_BACK_MS = 1_000; // Back changes the address at once, so the address does not show when the page has arrived

let isLeaving = () => false;
const isBusy = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

function leave(path, ms) {
  const until = performance.now() + ms;
  isLeaving = () => location.pathname !== path && performance.now() < until;
}

document.addEventListener(
  "click",
  ({ target }) => {
    const link = target.closest?.("a[href]");
    if (link?.origin !== location.origin) return;
    if (link.pathname === location.pathname) leave(null, GOING_BACK_MS);
    else leave(link.pathname, LEAVING_MS);
  },
  true,
);
window.addEventListener("popstate", () => leave(null, GOING_BACK_MS));

export default function ({ data, parentElement, setTriggerValue }) {
  const call = {};
  const isNewest = () => newest.get(parentElement) === call;
  const wait = (ms) => setTimeout(() => isNewest() && (isBusy() || isLeaving() ? wait(BUSY_MS) : request()), ms);
  const request = () => {
    setTriggerValue("due", true);
    wait(Math.max(UNANSWERED_MS, data.ms));
  };
  newest.set(parentElement, call);
  wait(data.ms);
  return () => isNewest() && newest.delete(parentElement);
}
