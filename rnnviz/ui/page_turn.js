// A component's request for a rerun names the page that is on the screen. Sent after a click on a link, but before
// the page behind it has begun, it would turn the visitor back. `rnnvizTurning` says whether a page is being turned.
const LINKS = "a[data-testid^=stPageLink], a[data-testid^=stTopNavLink]";
let left; // the path that was on the screen when a link was clicked

function click({ target, button, ctrlKey, metaKey, shiftKey }) {
  if (target.closest?.(LINKS) && !button && !ctrlKey && !metaKey && !shiftKey) left = location.pathname;
}

export default function () {
  if (window.rnnvizTurning) return;
  window.rnnvizTurning = () => left === location.pathname;
  addEventListener("click", click, { capture: true });
  // A link to the same page, or a click that was lost with the connection: over with the next run of the script.
  const app = document.querySelector("[data-testid=stApp]");
  const ended = () => app.dataset.testScriptState === "notRunning" && (left = undefined);
  new MutationObserver(ended).observe(app, { attributeFilter: ["data-test-script-state"] });
}
