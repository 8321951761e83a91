// Asks for a run when the page's theme is another than the one for which the server chose its colours. The document says
// which one that is.
export default function ({ data, parentElement, setTriggerValue }) {
  const isDark = getComputedStyle(parentElement.querySelector("span")).colorScheme.includes("dark");
  document.documentElement.dataset.colours = data.theme;
  if (isDark !== (data.theme === "dark")) setTriggerValue("change", isDark ? "dark" : "light");
}
