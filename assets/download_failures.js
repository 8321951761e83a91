// Streamlit reports in the browser alone that a file could not be made. When it does so in the container data.box, this
// asks the server for the reason, but not during a run, which the request would interrupt (see rerun_after.js). The
// reasons in the container data.reasons are hidden from the next click on, until another file fails.
const BUSY_MS = 50;
const ERROR = "[data-testid=stDownloadButtonError]";

const stops = new WeakMap(); // stops observing a box: Streamlit may call the function again without cleaning up

// The class that Streamlit gives to the container with a key, which may be a name in any script.
const classOf = (key) => `.st-key-${key.trim().replace(/[^a-zA-Z0-9_-]/g, "-")}`;
const isBusy = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

export default function ({ data, setTriggerValue }) {
  const box = document.querySelector(classOf(data.box));
  const show = (display) => box.querySelector(classOf(data.reasons))?.style.setProperty("display", display);
  const request = () => (isBusy() ? setTimeout(request, BUSY_MS) : setTriggerValue("failed", true));
  const onClick = ({ target }) => target.closest("[data-testid=stDownloadButton]") && show("none");
  const onChange = (changes) => {
    if (changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.matches?.(ERROR)))) {
      show("");
      request();
    }
  };
  stops.get(box)?.();
  const observer = new MutationObserver(onChange);
  observer.observe(box, { childList: true, subtree: true });
  box.addEventListener("click", onClick);
  const stop = () => {
    observer.disconnect();
    box.removeEventListener("click", onClick);
  };
  stops.set(box, stop);
  return stop;
}
