// Asks for a run when the page's theme is another than the one for which the server chose its colours.
export default function ({ data, parentElement, setTriggerValue }) {
  const probe = parentElement.querySelector("span");
  const isDark = getComputedStyle(probe).colorScheme.includes("dark");
  if (isDark !== (data.theme === "dark")) setTriggerValue("change", isDark ? "dark" : "light");
}
