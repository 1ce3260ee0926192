// Tells the app which theme the browser shows, and keeps the visitor's choice of theme for all pages.
const KEY = "stActiveTheme-";

// Streamlit keeps the choice under the path of the page that was loaded, where no other page finds it.
function keepForAll(pages) {
  const link = document.querySelector("[data-testid=stTopNavLink]");
  if (!link) return;
  const folder = new URL(link.href).pathname.replace(/[^/]*$/, "");
  const loaded = `${KEY}${new URL(performance.getEntriesByType("navigation")[0].name).pathname}-v`;
  const kept = Object.keys(localStorage).filter((key) => key.startsWith(KEY));
  const chosen = kept.find((key) => key.startsWith(loaded));
  if (!chosen) return kept.forEach((key) => localStorage.removeItem(key)); // as the system has it
  const version = chosen.slice(loaded.length);
  for (const page of pages) localStorage.setItem(`${KEY}${folder}${page}-v${version}`, localStorage[chosen]);
}

export default function ({ data, parentElement, setTriggerValue }) {
  keepForAll(data.pages);
  const theme = getComputedStyle(parentElement).colorScheme;
  if (!data.theme || theme === data.theme) return;
  // After this turn, when Streamlit itself knows the new theme; again if another rerun swallowed it.
  let tries = 0;
  const trigger = asking(setTriggerValue);
  const tell = () => trigger("theme", theme + tries);
  setTimeout(tell);
  const insist = setInterval(() => {
    if (!idle()) return; // the run under way may be the one
    if (++tries < 5) tell();
    else clearInterval(insist);
  }, 1000);
  return () => clearInterval(insist);
}
