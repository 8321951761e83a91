// Makes one step of the browser's history of what a reader sees as one: arriving at a page, however many parameters the
// page then writes into its address, and everything shown by the parameters in VIEWS.
const VIEWS = ["view"];
let isArriving = true; // until the reader does something on the page that has come to rest

const isRunning = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";

function isStep(url) {
  const [here, there] = [location.href, url].map((address) => new URL(address, location.href));
  if (here.pathname !== there.pathname) return true;
  for (const { searchParams } of [here, there]) for (const view of VIEWS) searchParams.delete(view);
  return !isArriving && here.search !== there.search;
}

function install() {
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const isOtherPage = new URL(url ?? location.href, location.href).pathname !== location.pathname;
    if (url == null || isStep(url)) push(state, title, url);
    else history.replaceState(state, title, url);
    isArriving ||= isOtherPage;
  };
  addEventListener("popstate", () => (isArriving = true), true);
  for (const action of ["pointerdown", "keydown", "drop"]) {
    addEventListener(action, () => (isArriving &&= isRunning()), true);
  }
}

export default function () {
  if (!window.hasHistorySteps) install();
  window.hasHistorySteps = true;
}
