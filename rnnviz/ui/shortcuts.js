// Streamlit hears a button's key neither while a slider, a switch or a list has the focus (they stop the event, and
// count as inputs) nor before it has loaded its buttons. Here it is heard wherever no text is typed.
const UNTYPED = ["range", "checkbox", "radio", "button", "submit", "reset", "color", "file"];
const LOADING = "[data-testid=stSkeleton], [data-testid=stAppSkeleton]";

const button = (key) => document.querySelector(`button:has([aria-label="Shortcut ${key}"])`);

// Whether letters mean something there: in a text, or in a list that is open.
function typed(node) {
  if (node.isContentEditable || node.tagName === "TEXTAREA") return true;
  if (node.tagName !== "INPUT" || UNTYPED.includes(node.type)) return false;
  return node.getAttribute("role") !== "combobox" || node.getAttribute("aria-expanded") === "true";
}

// Press the button of a key once it is there; give up when everything is loaded.
function pressWhenLoaded(key) {
  const watch = new MutationObserver(() => {
    const found = button(key);
    if (!found && document.querySelector(LOADING)) return;
    watch.disconnect();
    found?.click();
  });
  watch.observe(document.body, { childList: true, subtree: true });
}

function hear(event) {
  const { key, ctrlKey, altKey, metaKey, shiftKey } = event;
  if (!/^[a-z]$/i.test(key) || ctrlKey || altKey || metaKey || shiftKey) return;
  if (typed(event.composedPath()[0])) return;
  const found = button(key.toUpperCase());
  if (!found && document.querySelector(LOADING)) pressWhenLoaded(key.toUpperCase());
  if (!found) return;
  event.stopImmediatePropagation(); // Streamlit would press it once more
  found.click();
}

export default function () {
  if (window.rnnvizShortcuts) return;
  window.rnnvizShortcuts = true;
  addEventListener("keydown", hear, { capture: true });
}
