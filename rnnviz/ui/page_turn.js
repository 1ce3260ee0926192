// A component's request for a rerun names the page that is on the screen. Sent after a click on a link, but before
// the page behind it has begun, it would turn the visitor back; sent by a part of the old page while the new one is
// being drawn, it would stop that. `rnnvizTurning` says whether a page is being turned.
const LINKS = "a[data-testid^=stPageLink], a[data-testid^=stTopNavLink]";
let left; // the path that was on the screen when the turn began
let ends; // how many runs of the script have ended since; one more if none was under way

const app = () => document.querySelector("[data-testid=stApp]");
const idle = () => app().dataset.testScriptState === "notRunning";

function begin(path) {
  left = path;
  ends = idle() ? 1 : 0;
}

function click({ target, button, ctrlKey, metaKey, shiftKey }) {
  if (target.closest?.(LINKS) && !button && !ctrlKey && !metaKey && !shiftKey) begin(location.pathname);
}

// Over once the new page is drawn. A link to the same page, or a click that was lost with the connection: over with
// the next run that has begun since.
function ended() {
  if (idle() && (left !== location.pathname || ++ends > 1)) left = undefined;
}

export default function () {
  if (window.rnnvizTurning) return;
  window.rnnvizTurning = () => left !== undefined;
  addEventListener("click", click, { capture: true });
  addEventListener("popstate", () => begin("")); // back or forward: the path is already the new one
  new MutationObserver(ended).observe(app(), { attributeFilter: ["data-test-script-state"] });
}
