// A component's request for a rerun names the page that is on the screen. Sent after a click on a link, but before
// the page behind it has begun, it would turn the visitor back; sent by a part of the old page while the new one is
// being drawn, it would stop that. `rnnvizTurning` says whether a page is being turned.
const LINKS = "a[data-testid^=stPageLink], a[data-testid^=stTopNavLink]";
let left; // the path that was on the screen when the turn began
let leaves; // whether the link leads to another path
let ends; // how many runs of the script have ended since; one more if none was under way

const app = () => document.querySelector("[data-testid=stApp]");
const idle = () => app().dataset.testScriptState === "notRunning";
const connected = () => app().dataset.testConnectionState === "CONNECTED";

function begin(path, away) {
  left = path;
  leaves = away;
  ends = idle() ? 1 : 0;
}

function click({ target, button, ctrlKey, metaKey, shiftKey }) {
  const link = target.closest?.(LINKS);
  if (!link || button || ctrlKey || metaKey || shiftKey) return;
  begin(location.pathname, link.pathname !== location.pathname);
}

// Over once the new page is drawn: a run that ends before is one that was asked for before the click. A link to the
// same path: over with the next run that has begun since. With the connection, the click is lost too.
function ended() {
  if (!connected()) left = undefined;
  else if (idle() && (left !== location.pathname || (++ends > 1 && !leaves))) left = undefined;
}

// A busy browser may take up the whole run of the new page at once: then none of it is ever seen to be under way.
function turning() {
  if (left && leaves && left !== location.pathname && idle()) left = undefined;
  return left !== undefined;
}

export default function () {
  if (window.rnnvizTurning) return;
  window.rnnvizTurning = turning;
  addEventListener("click", click, { capture: true });
  addEventListener("popstate", () => begin("", true)); // back or forward: the path is already the new one
  new MutationObserver(ended).observe(app(), {
    attributeFilter: ["data-test-script-state", "data-test-connection-state"],
  });
}
