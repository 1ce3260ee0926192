// One connection for the whole page: it asks for what is new and gives it to the figures (live_figure.js).
// Streamlit calls the default export at the end of every run of the page's script.
const VERSION = 1;
const [UNKNOWN, REPLACED, UNCLEAR] = [4001, 4002, 4003]; // as in channel.py
const [SHORTEST_WAIT, LONGEST_WAIT] = [250, 8000]; // ms until it connects anew; doubled each time
const INSIST = 1000; // ms: a request for a rerun is lost while Streamlit itself is disconnected
const PATIENCE = 5000; // ms for Streamlit to bring a new token, as after the server was started anew
const LOST = "The connection to the running network is lost. Please reload the page.";

class Channel {
  constructor() {
    this.wait = SHORTEST_WAIT;
    this.line = document.createElement("p");
    this.line.className = "channel-lost";
    this.line.setAttribute("role", "status");
    document.addEventListener("visibilitychange", () => this.seen());
  }

  // The page `page` is on the screen, under the token `token`.
  show({ token, page, live, url }, parent, rerun) {
    Object.assign(this, { page, url, parent, rerun });
    clearInterval(this.insisting);
    if (token !== this.token) this.forget(token);
    if (live && !this.socket && !this.ended) this.connect();
    this.ask();
  }

  forget(token) {
    Object.assign(this, { token, ended: false, wait: SHORTEST_WAIT });
    clearTimeout(this.complaining);
    this.line.remove();
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
    };
    socket.onmessage = ({ data }) => socket === this.socket && this.take(data);
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  lost(code) {
    this.socket = undefined;
    this.ended = [UNKNOWN, REPLACED, UNCLEAR].includes(code); // with this token
    if (this.ended) {
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
    const { version, page, stale, pictures } = part(4, size);
    if (version !== VERSION) return this.complain();
    this.ask(); // before drawing: the next pictures may travel meanwhile
    if (page !== this.page) return;
    let start = 4 + size;
    for (const { name, size } of pictures) {
      window.rnnvizFigures?.[name]?.show(part(start, size));
      start += size;
    }
    if (stale) this.insist();
  }

  // Let Streamlit run the page's script again: a run stopped by itself.
  insist() {
    let tries = 0;
    const tell = () => this.rerun(`${this.page}.${tries++}`);
    clearInterval(this.insisting);
    this.insisting = setInterval(tell, INSIST);
    tell();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const channel = (window.rnnvizChannel ??= new Channel());
  channel.show(data, parentElement, (why) => setTriggerValue("stale", why));
}
