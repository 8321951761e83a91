// What Streamlit's elements and wide tables lack for the keyboard and for screen readers.
const SCROLLING =
  ":is(.stMain, [data-testid=stPopoverBody], [role=dialog]) :is(table, pre, .katex-display, [data-testid=stHtml])";
const MENU = "[data-testid=stSidebarNavItems]"; // of a narrow page: a list whose sections are no items of it
const DROPZONE = "[data-testid=stFileUploaderDropzone][role=presentation]";
const REST_MS = 200; // without a change, so that no answer waits for a measurement of the layout

let timer = 0;

// Names what scrolls after the heading above it, and lets the keyboard reach it while it does.
function mendScrolling(element, headings) {
  const { overflowX, overflowY } = getComputedStyle(element);
  const scrolls =
    (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth) ||
    (/auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight);
  if (scrolls === (element.tabIndex === 0)) return;
  if (!scrolls) {
    for (const name of ["tabindex", "aria-label"]) element.removeAttribute(name);
    return;
  }
  element.tabIndex = 0;
  const isAbove = (heading) => heading.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
  element.ariaLabel = headings.findLast(isAbove)?.textContent ?? document.title;
  if (element.tagName !== "TABLE") element.role = "group"; // a table keeps its own role
}

function mendAllScrolling() {
  const headings = [...document.querySelectorAll(".stMain :is(h1, h2, h3)")];
  for (const element of document.querySelectorAll(SCROLLING)) mendScrolling(element, headings);
}

// Roles need no layout: they are right from the moment when their element is there.
function mendRoles() {
  for (const menu of document.querySelectorAll(MENU)) {
    menu.role = "group";
    for (const item of menu.querySelectorAll("li")) item.role = "none"; // its link has the name
  }
  for (const zone of document.querySelectorAll(DROPZONE)) zone.role = "group"; // it has a name, and parts
}

function mend() {
  mendRoles();
  clearTimeout(timer);
  timer = setTimeout(mendAllScrolling, REST_MS);
}

export default function () {
  if (!window.isAccessibilityMended) {
    new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
    addEventListener("resize", mend);
  }
  window.isAccessibilityMended = true;
  mend();
}
