// Streamlit ignores the key of a button while any input has the focus, a slider, a switch or a list included, and
// before it has loaded its buttons. Here these keys work as well; where text is typed they do not.
const UNTYPED = ["range", "checkbox", "radio", "button", "submit", "reset", "color", "file"];
const LOADING = "[data-testid=stSkeleton], [data-testid=stAppSkeleton]";

// Whether Streamlit itself hears keys there.
const ignored = (node) => ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName) || node.isContentEditable;

// Whether letters mean something there: in a text, or in a list that is open.
function typed(node) {
  if (node.isContentEditable || node.tagName === "TEXTAREA") return true;
  if (node.tagName !== "INPUT") return false;
  return node.getAttribute("aria-expanded") === "true" || !(node.readOnly || UNTYPED.includes(node.type));
}

const button = (key) => document.querySelector(`button:has([aria-label="Shortcut ${key}"])`);

// Press the button of a key, which may be on its way.
function press(key, present) {
  const found = button(key);
  if (found) return present || found.click();
  if (!document.querySelector(LOADING)) return;
  const watch = new MutationObserver(() => {
    const found = button(key);
    if (!found && document.querySelector(LOADING)) return;
    watch.disconnect();
    found?.click();
  });
  watch.observe(document.body, { childList: true, subtree: true });
}

function hear(event) {
  const { key, target } = event;
  if (!/^[a-z]$/i.test(key) || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const node = event.composedPath()[0] ?? target;
  if (!typed(node)) press(key.toUpperCase(), !ignored(node));
}

export default function () {
  if (window.rnnvizShortcuts) return;
  window.rnnvizShortcuts = true;
  document.addEventListener("keydown", hear);
}
