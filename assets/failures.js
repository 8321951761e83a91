// Streamlit tells in the browser alone that a file could not be made. Where it does so in the container data.box, this
// asks the server to look, as it knows why; not while a run is on, which it would break off (see later.js). What was
// said in the container data.told is out of sight from the next click on, until there is another failure.
const BUSY_MS = 50;
const NOTICE = "[data-testid=stDownloadButtonError]";

const watched = new WeakMap(); // how to stop watching a box: Streamlit may call the function again without cleaning up

const busy = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

export default function ({ data, setTriggerValue }) {
  const box = document.querySelector(`.st-key-${data.box}`);
  const show = (display) => box.querySelector(`.st-key-${data.told}`)?.style.setProperty("display", display);
  const ask = () => (busy() ? setTimeout(ask, BUSY_MS) : setTriggerValue("failed", true));
  const clicked = ({ target }) => target.closest("[data-testid=stDownloadButton]") && show("none");
  const changed = (changes) => {
    if (changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.matches?.(NOTICE)))) {
      show("");
      ask();
    }
  };
  watched.get(box)?.();
  const observer = new MutationObserver(changed);
  observer.observe(box, { childList: true, subtree: true });
  box.addEventListener("click", clicked);
  const stop = () => {
    observer.disconnect();
    box.removeEventListener("click", clicked);
  };
  watched.set(box, stop);
  return stop;
}
