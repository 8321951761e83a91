// What the keyboard would lose: keys for a cell whose editor is not open yet, and the focus of a control that goes.

// Keys that are typed into a cell of a grid are held back until the cell's editor is open, and then typed there.
//
// The grid loads its editor with the first key that is typed into a cell. Until it is open, each further key would open
// it again with that key alone, and Enter or a click would close it unseen: on a slow line 300 became 0.
//
// A key that closes the editor is also held back until the editor has finished the keys before it. It finishes each in
// a later task, and a task that comes after Enter closes the editor and forgets its text: in a busy browser 300 was lost.
const EDITOR = "#portal .gdg-clip-region :is(input, textarea)";
const TABLE = `[data-testid=stDataFrame], ${EDITOR}`;
const GRID = "[data-testid=stDataFrame]";
const INSTALLED = Symbol.for("explorer.keyboard");
const POINTER = ["pointerdown", "mousedown", "pointerup", "mouseup", "click"];
const CLOSING = ["Enter", "Tab", "Escape"];
const DELETING = { Backspace: "delete", Delete: "forwardDelete" };
const PATIENCE_MS = 30_000; // after which the editor's script is taken for lost

let opener = null; // the event that opens the editor, until that is open
let closing = null; // the editor that a held event has closed, until that is gone
let held = [];
let started = 0;
let isDelivering = false;
let unfinished = 0; // keys that the editor has received and not finished

const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;
const isText = (event) =>
  event.type === "keydown" && event.key.length === 1 && (event.getModifierState("AltGraph") || !hasModifier(event));
const openEditor = () => document.querySelector(EDITOR);
const isClosing = (event) => CLOSING.includes(event.key);

// Whether the editor is on its way: keys would still go to the grid. An update of the page may take its focus.
function isPending() {
  const editor = openEditor();
  if (editor) opener = null;
  return held.length || closing || opener?.defaultPrevented || (editor && editor !== document.activeElement);
}

function onInput(event) {
  if (!event.isTrusted || !event.target.closest?.(TABLE)) return; // not trusted: delivered by this script
  if (isPending() || (unfinished && isClosing(event))) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!held.length) start();
    held.push(event);
  } else if (openEditor()) {
    finishLater(event);
  } else if (isText(event)) {
    opener = event;
    start();
  }
}

// Tasks come in the order in which they were requested. The editor requests its own after this, so two are waited for.
function finishLater(event) {
  if (event.type !== "keydown" || isClosing(event)) return;
  unfinished += 1;
  setTimeout(() => setTimeout(() => (unfinished -= 1)));
}

function start() {
  started = performance.now();
  if (!isDelivering) requestAnimationFrame(deliver);
  isDelivering = true;
}

// Delivers held events, one step for each frame, so that the grid has drawn the last one.
function deliver() {
  const editor = openEditor();
  if (!closing?.isConnected) closing = null;
  // The grid prevents the default of a key that opens an editor; another cell cannot be edited.
  if (editor || !opener?.defaultPrevented) opener = null;
  if (performance.now() - started > PATIENCE_MS) [opener, closing, held] = [null, null, []];
  if (!opener && !closing && held.length) {
    if (editor) typeInto(editor);
    else pressInGrid();
  }
  isDelivering = Boolean(opener || closing || held.length);
  if (isDelivering) requestAnimationFrame(deliver);
}

function typeInto(editor) {
  if (editor !== document.activeElement) {
    editor.focus();
    return;
  }
  if (unfinished && isClosing(held[0])) return;
  const count = held.findIndex((event) => !isText(event));
  const text = held.splice(0, count < 0 ? held.length : count);
  if (text.length) {
    document.execCommand("insertText", false, text.map((event) => event.key).join(""));
    return;
  }
  const event = held.shift();
  if (event.key in DELETING) {
    document.execCommand(DELETING[event.key]);
    return;
  }
  if (isClosing(event) || event.type === "pointerdown") closing = editor;
  finishLater(event);
  dispatch(event, event.type === "keydown" ? editor : event.target);
}

function pressInGrid() {
  const event = held.shift();
  const focused = document.activeElement.closest(GRID) ? document.activeElement : event.target;
  const copy = dispatch(event, event.type === "keydown" ? focused : event.target);
  if (isText(event)) [opener, started] = [copy, performance.now()];
}

function dispatch(event, target) {
  const copy = new event.constructor(event.type, event);
  target.dispatchEvent(copy);
  return copy;
}

// The focus of a control that goes, or is disabled, stays in the nearest container with a name that is still there.
let focused = []; // the element that had the focus last, and all around it

function onFocus({ target }) {
  focused = [];
  for (let element = target; element; element = element.parentElement) focused.push(element);
}

function restoreFocus() {
  const [lost] = focused;
  if (document.activeElement !== document.body || !lost || (lost.isConnected && !lost.disabled)) return;
  const container = focused.find((element) => element.isConnected && element.className.includes?.("st-key-"));
  focused = [];
  if (!container) return;
  container.tabIndex = -1;
  container.focus({ preventScroll: true });
}

// Loads the editor's script early, so that its first use need not wait for it.
function preload(script) {
  const link = document.createElement("link");
  [link.rel, link.crossOrigin] = ["modulepreload", ""];
  link.href = new URL(script, document.querySelector("script[type=module][src]").src);
  document.head.append(link);
}

export default function ({ data, parentElement }) {
  // Messages over the page need its background, and menus lie outside of the app's element.
  const background = getComputedStyle(parentElement.host ?? parentElement).getPropertyValue("--st-background-color");
  document.documentElement.style.setProperty("--page-background", background);
  if (window[INSTALLED]) return;
  window[INSTALLED] = true;
  for (const type of ["keydown", ...POINTER]) window.addEventListener(type, onInput, true);
  document.addEventListener("focusin", onFocus);
  const changes = { childList: true, subtree: true, attributeFilter: ["disabled"] };
  new MutationObserver(restoreFocus).observe(document.body, changes);
  if (data.editor) preload(data.editor);
}
