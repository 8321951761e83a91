// Closes Streamlit's dialog "Page not found", which is wrong for the first visitor of a fresh server with a deep link.
const isPageNotFound = (dialog) => dialog.textContent.includes("Page not found");

function close() {
  const dialog = [...document.querySelectorAll("[role=dialog]")].find(isPageNotFound);
  dialog?.querySelector("button[aria-label=Close]")?.click();
  return Boolean(dialog);
}

export default function () {
  if (close()) return undefined;
  const observer = new MutationObserver(() => close() && observer.disconnect());
  observer.observe(document.body, { childList: true, subtree: true });
  const timer = setTimeout(() => observer.disconnect(), 5_000);
  return () => (clearTimeout(timer), observer.disconnect());
}
