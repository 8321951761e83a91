// Asks the server to look again after data.ms milliseconds, and again where nothing comes of it.
//
// Streamlit calls the function anew on each change of data, but cleans up after an earlier call only where that was
// still being loaded: too late, as the newer one has begun. So the newest call for an element is the one that counts.
//
// And it folds what is asked before a run begins into that one run, of the page that the last one to ask was on: a look
// in that moment would undo a click that leads to another page. So it waits for runs, and for pages asked for.
const newest = new WeakMap();
const BUSY_MS = 50;
const UNANSWERED_MS = 5_000;
const LEAVING_MS = 10_000; // longer than that no page takes to come
const GOING_BACK_MS = 1_000; // there the address changes at once, so that only time tells

let leaving = () => false;
const busy = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

function leave(path, ms) {
  const until = performance.now() + ms;
  leaving = () => location.pathname !== path && performance.now() < until;
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
  const mine = () => newest.get(parentElement) === call;
  const wait = (ms) => setTimeout(() => mine() && (busy() || leaving() ? wait(BUSY_MS) : look()), ms);
  const look = () => {
    setTriggerValue("due", true);
    wait(Math.max(UNANSWERED_MS, data.ms));
  };
  newest.set(parentElement, call);
  wait(data.ms);
  return () => mine() && newest.delete(parentElement);
}
