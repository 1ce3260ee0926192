// One connection for the whole page: it asks for what is new and gives it to the figures (live_figure.js).
// Streamlit calls the default export at the end of every run of the page's script, and of each fragment that
// follows a sweep.
const VERSION = 3;
const [UNKNOWN, REPLACED, UNCLEAR] = [4001, 4002, 4003]; // as in channel.py
const [SHORTEST_WAIT, LONGEST_WAIT] = [250, 8000]; // ms until it connects anew; doubled each time
const INSIST = 1000; // ms: a request for a rerun is lost while Streamlit itself is disconnected
const PACE = 250; // ms between the drawings of a fragment that follows a sweep, at least
const PATIENCE = 5000; // ms for Streamlit to bring a new token, as after the server was started anew
const MOVED = "rnnvizMoved"; // where the tab keeps the token and the address under which a network last trained
const LOST = "The connection to the running network is lost. Please reload the page.";

// Asks Streamlit for a rerun, of the page's script or of one of its fragments, until it is told that it came.
class Rerun {
  // Whether it asks.
  get wanted() {
    return this.timer !== undefined;
  }

  insist(wait = 0) {
    this.stop();
    let tries = 0;
    const tell = () => {
      this.timer = setTimeout(tell, INSIST);
      if (!tries || idle()) this.ask(`${this.what}.${tries++}`);
    };
    this.timer = setTimeout(tell, wait);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

// A fragment that follows a sweep. Its drawings are numbered; `old` is the newest of which the server has said
// that it is out of date. It may say so before Streamlit has brought that drawing, or even the first one.
class Fragment {
  constructor() {
    this.rerun = new Rerun();
    this.drawing = this.old = this.drawnAt = -Infinity;
  }

  show(drawing, parent, ask) {
    Object.assign(this.rerun, { what: drawing, ask });
    this.parent = parent;
    if (drawing === this.drawing) return; // Streamlit only renders it again
    Object.assign(this, { drawing, drawnAt: performance.now() });
    this.rerun.stop();
    this.check();
  }

  outdate(drawing) {
    this.old = drawing;
    this.check();
  }

  check() {
    if (this.parent && this.old >= this.drawing && !this.rerun.wanted)
      this.rerun.insist(Math.max(0, this.drawnAt + PACE - performance.now()));
  }

  // The server counts anew.
  forget() {
    this.old = -Infinity;
    this.rerun.stop();
  }

  // Streamlit also says goodbye to a drawing when it is replaced by the next one.
  leave(parent) {
    if (parent !== this.parent || parent.isConnected) return;
    this.rerun.stop();
    this.parent = undefined;
  }
}

class Channel {
  constructor() {
    this.rerun = new Rerun();
    this.fragments = new Map(); // by name
    this.wait = SHORTEST_WAIT;
    this.line = document.createElement("p");
    this.line.className = "channel-lost";
    this.line.setAttribute("role", "status");
    document.addEventListener("visibilitychange", () => this.seen());
  }

  // The page `page` is on the screen, under the token `token`.
  show({ token, page, live, url }, parent, ask, begunAnew) {
    Object.assign(this, { page, url, parent });
    Object.assign(this.rerun, { what: page, ask });
    this.rerun.stop();
    if (token !== this.token) this.forget(token);
    this.compare(begunAnew);
    if (live && !this.socket && !this.ended) this.connect();
    this.ask();
  }

  // A network that trained before the page was reloaded, or the server restarted, begins anew: say so, once.
  compare(begunAnew) {
    const moved = JSON.parse(sessionStorage.getItem(MOVED));
    if (!moved || moved.token === this.token) return;
    sessionStorage.removeItem(MOVED);
    if (moved.address === location.href) begunAnew();
  }

  fragment(name) {
    if (!this.fragments.has(name)) this.fragments.set(name, new Fragment());
    return this.fragments.get(name);
  }

  forget(token) {
    Object.assign(this, { token, ended: false, wait: SHORTEST_WAIT });
    clearTimeout(this.complaining);
    this.line.remove();
    for (const fragment of this.fragments.values()) fragment.forget();
    const before = this.socket;
    this.socket = undefined;
    before?.close();
  }

  connect() {
    clearTimeout(this.retrying);
    const address = new URL(this.url, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = SHORTEST_WAIT;
      socket.send(this.token); // not in the address, so that no log holds it
      this.seen();
      for (const slider of Object.values(window.rnnvizLookBack ?? {})) slider.again();
    };
    socket.onmessage = ({ data }) => socket === this.socket && this.take(data);
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  lost(code) {
    this.socket = undefined;
    this.ended = [UNKNOWN, REPLACED, UNCLEAR].includes(code); // with this token
    if (this.ended) {
      if (code === UNKNOWN) this.rerun.insist(); // a server that was restarted makes a new session
      if (code !== REPLACED) this.complaining = setTimeout(() => this.complain(), PATIENCE);
      return;
    }
    this.retrying = setTimeout(() => this.socket || this.connect(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }

  complain() {
    this.line.textContent = LOST;
    this.parent.append(this.line);
  }

  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  seen() {
    this.say({ hidden: document.hidden });
    this.ask();
  }

  ask() {
    if (!document.hidden) this.say({ page: this.page });
  }

  take(data) {
    const size = new DataView(data).getUint32(0, true);
    const part = (start, length) => JSON.parse(new TextDecoder().decode(new Uint8Array(data, start, length)));
    const { version, page, stale, news, pictures } = part(4, size);
    if (version !== VERSION) return this.complain();
    this.ask(); // before drawing: the next pictures may travel meanwhile
    if (page !== this.page) return;
    const moved = { token: this.token, address: location.href };
    if (pictures.length) sessionStorage.setItem(MOVED, JSON.stringify(moved));
    let start = 4 + size;
    for (const { name, size, playing, step } of pictures) {
      window.rnnvizFigures?.[name]?.show({ ...part(start, size), playing });
      window.rnnvizLookBack?.[name]?.see(step, page);
      start += size;
    }
    for (const [name, drawing] of Object.entries(news)) this.fragment(name).outdate(drawing);
    if (stale) this.rerun.insist(); // a run stopped by itself
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const channel = (window.rnnvizChannel ??= new Channel());
  const trigger = asking(setTriggerValue);
  const ask = (why) => trigger("stale", why);
  const begunAnew = () => trigger("begun_anew", true);
  if (!("drawing" in data)) return channel.show(data, parentElement, ask, begunAnew);
  const fragment = channel.fragment(data.name);
  fragment.show(data.drawing, parentElement, ask);
  return () => fragment.leave(parentElement);
}
