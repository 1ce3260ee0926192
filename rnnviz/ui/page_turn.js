// A component's request for a rerun names the page that is on the screen. Sent after a click on a link, but before
// the page behind it has begun, it would turn the visitor back; sent by a part of the old page while the new one is
// being drawn, it would stop that. `rnnvizTurning` says whether a page is being turned; components ask for reruns by
// `rnnvizAsk`, and ask again only if `rnnvizIdle` says that no run is under way: it may be theirs.
const LINKS = "a[data-testid^=stPageLink], a[data-testid^=stTopNavLink]";
let left; // the path that was on the screen when the turn began; empty after back or forward
let leaves; // whether the link leads to another path
let ends; // how many runs of the script have ended since; one more if none was under way

// Streamlit sends what a component asks for a moment later. A link clicked in that moment overtakes it: the request
// then turns the visitor back. What buttons and other components ask goes out with it: if it is for a part of the page
// alone, the rest never learns of theirs. So clicks and requests wait until what was asked is sent.
const CONTROLS = `${LINKS}, button, label`;
let asked = false; // a request is not sent yet
const sent = (then) => setTimeout(then); // Streamlit's own timer was set before

const app = () => document.querySelector("[data-testid=stApp]");
const idle = () => app().dataset.testScriptState === "notRunning";
const connected = () => app().dataset.testConnectionState === "CONNECTED";

function begin(path, away) {
  left = path;
  leaves = away;
  ends = idle() ? 1 : 0;
}

function ask(send) {
  if (turning()) return;
  if (asked) return void sent(() => ask(send));
  asked = true;
  send();
  sent(() => (asked = false));
}

function click(event) {
  const { target, button, ctrlKey, metaKey, shiftKey } = event;
  const control = target.closest?.(CONTROLS);
  if (!control || button || ctrlKey || metaKey || shiftKey) return;
  if (asked) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return void sent(() => control.click());
  }
  const link = target.closest(LINKS);
  if (link) begin(location.pathname, link.pathname !== location.pathname);
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

// Streamlit writes the address of each page whose run begins. A visitor who goes back twice is already further on when
// that of the page between begins.
function writeOnlyHere() {
  const write = history.pushState;
  history.pushState = function (state, title, address) {
    const late = left === "" && new URL(address, location).pathname !== location.pathname;
    if (!late) write.call(this, state, title, address);
  };
}

export default function () {
  if (window.rnnvizTurning) return;
  writeOnlyHere();
  Object.assign(window, { rnnvizTurning: turning, rnnvizAsk: ask, rnnvizIdle: idle });
  addEventListener("click", click, { capture: true });
  addEventListener("popstate", () => begin("", true)); // back or forward: the path is already the new one
  new MutationObserver(ended).observe(app(), {
    attributeFilter: ["data-test-script-state", "data-test-connection-state"],
  });
}
