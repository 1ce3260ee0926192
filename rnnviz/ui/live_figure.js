// Streamlit calls the default export with every message; the figure's node is kept between messages.
const figures = new WeakMap(); // by parent element
const named = (window.rnnvizFigures ??= new Map()); // by name: channel.js shows messages there, too
let plotly; // one promise for the whole page

const READABLE = 0.75; // smallest scale of text; a figure that is still wider than the screen scrolls sideways

function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = undefined; // the next message tries again
      reject(new Error(`Cannot load ${url}`));
    };
    document.head.append(script);
  });
  return plotly;
}

class LiveFigure {
  constructor(parent) {
    this.node = document.createElement("div");
    this.node.className = "live-figure";
    this.node.setAttribute("role", "figure"); // not "img": it contains plotly's buttons
    [this.caption, this.footer, this.status] = ["div", "div", "p"].map((tag) => document.createElement(tag));
    this.status.className = "only-heard";
    this.status.setAttribute("role", "status");
    this.window = document.createElement("div");
    this.window.className = "live-figure-window";
    this.window.append(this.node);
    // plotly.js would block scrolling by touch; a tap still reaches it as a click
    this.window.addEventListener("touchstart", (touch) => touch.stopPropagation(), { capture: true, passive: true });
    parent.append(this.caption, this.window, this.footer, this.status);
    this.frame = parent;
    this.widthWatch = new ResizeObserver(() => this.frame.clientWidth !== this.drawnWidth && this.redraw());
    this.widthWatch.observe(this.frame);
  }

  show(message) {
    const before = this.message ?? {};
    this.message = message;
    named.set(message.name, this);
    this.node.setAttribute("aria-label", message.label);
    for (const part of ["caption", "footer"]) if (message[part] !== before[part]) this[part].innerHTML = message[part];
    if (message.status !== before.status) this.status.textContent = message.status;
    this.window.style.height = `${message.height}px`;
    this.redraw();
  }

  // Waiting for a frame drops messages that arrive faster than the browser draws, and pauses in hidden tabs.
  async redraw() {
    this.stale = true;
    if (this.drawing) return;
    this.drawing = true;
    try {
      const Plotly = await loadPlotly(this.message.plotlyUrl);
      while (this.stale && this.node.isConnected) {
        await new Promise(requestAnimationFrame);
        this.stale = false;
        await this.draw(Plotly);
      }
    } finally {
      this.drawing = false;
    }
  }

  async draw(Plotly) {
    const { data, layout, name, height, leastWidth } = this.message;
    const room = (this.drawnWidth = this.frame.clientWidth);
    if (!room) return; // hidden; the observer calls again
    const scale = Math.max(READABLE, Math.min(1, room / leastWidth)); // on a phone everything is scaled down, text included
    const [width, tall] = [Math.max(room / scale, leastWidth), height / scale];
    this.node.style.width = scale < 1 ? `${width}px` : "";
    this.node.style.height = `${tall}px`;
    this.node.style.transform = scale < 1 ? `scale(${scale})` : "";
    this.scrolls(width * scale > room + 1);
    const config = {
      displaylogo: false,
      modeBarButtons: [["toImage"]],
      toImageButtonOptions: { filename: name, scale: 2 },
    };
    await Plotly.react(this.node, data, { uirevision: name, ...layout, width, height: tall }, config);
    this.node.dataset.draws = Number(this.node.dataset.draws ?? 0) + 1;
  }

  // A scrollable element must be focusable by keyboard, and a focusable one needs a name.
  scrolls(sideways) {
    this.window.classList.toggle("sideways", sideways);
    if (!sideways) return ["tabindex", "role", "aria-label"].forEach((name) => this.window.removeAttribute(name));
    this.window.tabIndex = 0;
    this.window.setAttribute("role", "group");
    this.window.setAttribute("aria-label", "The figure is wider than the screen: scroll sideways");
  }

  // Streamlit also calls this when a newer message replaces an older one; the node is then still on the page.
  leave() {
    if (this.node.isConnected) return;
    this.widthWatch.disconnect();
    if (named.get(this.message.name) === this) named.delete(this.message.name);
    window.Plotly?.purge(this.node);
  }
}

export default function ({ data, parentElement }) {
  if (!figures.has(parentElement)) figures.set(parentElement, new LiveFigure(parentElement));
  const figure = figures.get(parentElement);
  figure.show(JSON.parse(new TextDecoder().decode(data)));
  return () => figure.leave();
}
