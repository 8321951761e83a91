// Closes Streamlit's "Page not found", which the first visitor of a fresh server gets wrongly on a deep link.
const isNotice = (dialog) => dialog.textContent.includes("Page not found");

function close() {
  const notice = [...document.querySelectorAll("[role=dialog]")].find(isNotice);
  notice?.querySelector("button[aria-label=Close]")?.click();
  return Boolean(notice);
}

export default function () {
  if (close()) return undefined;
  const watcher = new MutationObserver(() => close() && watcher.disconnect());
  watcher.observe(document.body, { childList: true, subtree: true });
  const timer = setTimeout(() => watcher.disconnect(), 5_000);
  return () => (clearTimeout(timer), watcher.disconnect());
}
