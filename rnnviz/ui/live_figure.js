// Streamlit calls the default export with every message; the figure's node is kept between messages.
const figures = new WeakMap(); // by parent element
let plotly, canvas; // one promise each for the whole page
// The figures on the page by key. Whatever has a newer picture of one may call its show().
const onPage = (window.rnnvizFigures ??= {});

const LAYOUT_MS = 500; // while a run plays, plotly draws new axes and notes no more often than this
const READABLE = 0.75; // smallest scale of text; a figure that is still wider than the screen scrolls sideways

// A large window shows everything larger (see style.css).
function zoom() {
  return Number(getComputedStyle(document.documentElement).getPropertyValue("--zoom")) || 1;
}

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

// Without it plotly draws every frame.
function loadCanvas() {
  canvas ??= import(new URL(CANVAS_URL, document.baseURI)).catch(() => (canvas = undefined));
  return canvas;
}

// Files of a figure, beside plotly's PNG: the kind, what its button says, and its icon (16 x 16).
const FILES = [
  ["svg", "Download plot as an SVG", "M3 1h7l3 3v11H3zM9 2v3h3M5 12l3-5 3 5z"],
  ["html", "Download plot as a page that works offline", "M1 2h14v12H1zM1 5h14M6 8l-2 2 2 2M10 8l2 2-2 2"],
  ["csv", "Download the plot's numbers (CSV)", "M2 2h12v12H2zM2 6h12M2 10h12M6 2v12M10 2v12"],
];

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
    const hint = document.createElement("p");
    hint.className = "sideways-hint";
    hint.setAttribute("aria-hidden", "true"); // the window's own label says it
    hint.textContent = "← scroll sideways for more →";
    // plotly.js would block scrolling by touch; a tap still reaches it as a click
    this.window.addEventListener("touchstart", (touch) => touch.stopPropagation(), { capture: true, passive: true });
    parent.append(this.caption, this.window, hint, this.footer, this.status);
    this.frame = this.window;
    this.widthWatch = new ResizeObserver(() => this.frame.clientWidth !== this.drawnWidth && this.redraw());
    this.widthWatch.observe(this.frame);
    this.resized = () => this.zoom !== zoom() && this.redraw();
    addEventListener("resize", this.resized);
  }

  // message.playing: more frames will follow soon, so this one is painted. What a message leaves out stays as it was.
  show(message) {
    const before = this.message ?? {};
    this.message = { ...before, playing: false, ...message };
    const { name, label, status, height } = this.message;
    onPage[name] = this;
    this.node.setAttribute("aria-label", label);
    for (const part of ["caption", "footer"])
      if (this.message[part] !== before[part]) this[part].innerHTML = this.message[part];
    if (status !== before.status) this.status.textContent = status;
    this.window.style.height = `${height * zoom()}px`;
    this.redraw();
  }

  // Waiting for a frame drops messages that arrive faster than the browser draws, and pauses in hidden tabs.
  async redraw() {
    this.stale = true;
    if (this.drawing) return;
    this.drawing = true;
    try {
      const [Plotly, painting] = await Promise.all([loadPlotly(this.message.plotlyUrl), loadCanvas()]);
      this.canvas ??= painting && new painting.Canvas(this.node);
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
    const { name, height, leastWidth } = this.message;
    const room = (this.drawnWidth = this.frame.clientWidth);
    if (!room) return; // hidden; the observer calls again
    this.zoom = zoom();
    this.window.style.height = `${height * this.zoom}px`;
    // everything is scaled, text included: down on a phone, up in a large window
    const scale = Math.max(READABLE, Math.min(this.zoom, room / leastWidth));
    const [width, tall] = [Math.max(room / scale, leastWidth), (height * this.zoom) / scale];
    this.node.style.width = scale === 1 ? "" : `${width}px`;
    this.node.style.height = `${tall}px`;
    this.node.style.marginRight = scale < 1 ? `${(scale - 1) * width}px` : ""; // nothing to scroll to beyond it
    this.node.style.transform = scale === 1 ? "" : `scale(${scale})`;
    this.node.style.marginRight = scale < 1 ? `${(scale - 1) * width}px` : ""; // nothing to scroll to beyond it
    this.scrolls(width * scale > room + 1);
    const layout = { uirevision: name, ...this.message.layout, width, height: tall };
    await (this.canvas ? this.drawOrPaint(Plotly, layout) : this.react(Plotly, this.message.data, layout));
    this.node.dataset.draws = Number(this.node.dataset.draws ?? 0) + 1;
  }

  // When a run pauses, plotly draws beneath the canvas, which shows the same frame until plotly's is ready.
  async drawOrPaint(Plotly, layout) {
    const { canvas } = this;
    const { playing } = this.message;
    const data = (this.traces = canvas.decoded(this.message.data)); // while it paints, plotly's are older
    if (playing && canvas.paints(data)) await this.follow(Plotly, layout);
    else {
      await this.react(Plotly, data, layout);
      canvas.drawn(data);
    }
    const paints = canvas.paints(data);
    if (paints && (playing || canvas.shown)) canvas.paint(data);
    if (!paints || !playing) await canvas.hide();
  }

  // Plotly's axes and notes follow the painted traces: at once if the size changed, else a little later.
  async follow(Plotly, layout) {
    clearTimeout(this.waiting);
    if (JSON.stringify(layout) === this.drawn.layout) return;
    const left = this.drawn.time + LAYOUT_MS - performance.now();
    const resized = layout.width !== this.node._fullLayout.width || layout.height !== this.node._fullLayout.height;
    if (left <= 0 || resized) await this.react(Plotly, this.node.data, layout);
    else this.waiting = setTimeout(() => this.redraw(), left);
  }

  async react(Plotly, data, layout) {
    const written = JSON.stringify(layout);
    this.drawn = { layout: written, time: performance.now() };
    const config = {
      displaylogo: false,
      modeBarButtons: (this.buttons ??= [["toImage", ...this.fileButtons()]]), // plotly begins anew with others
      toImageButtonOptions: { filename: this.message.name, scale: 2 },
    };
    if (data !== this.node.data) this.revision = (this.revision ?? 0) + 1; // else plotly redraws axes and notes only
    const copy = JSON.parse(written); // plotly notes in it what it chooses
    await Plotly.react(this.node, data, { datarevision: this.revision, ...copy }, config);
  }

  fileButtons() {
    return FILES.map(([kind, title, path]) => ({
      name: kind,
      title,
      icon: { svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" class="icon outline" height="1em" width="1em"><path d="${path}"/></svg>` },
      click: async () => {
        const files = await import(new URL(FILES_URL, document.baseURI));
        await files.save(kind, this.message, this.node);
      },
    }));
  }

  // A scrollable element must be focusable by keyboard, and a focusable one needs a name.
  scrolls(sideways) {
    const opens = sideways && !this.window.classList.contains("sideways");
    this.window.classList.toggle("sideways", sideways);
    if (opens && this.message.layout.meta?.opensAtEnd) this.window.scrollLeft = this.window.scrollWidth;
    if (!sideways) return ["tabindex", "role", "aria-label"].forEach((name) => this.window.removeAttribute(name));
    this.window.tabIndex = 0;
    this.window.setAttribute("role", "group");
    this.window.setAttribute("aria-label", "The figure is wider than the screen: scroll sideways");
  }

  // Streamlit also calls this when a newer message replaces an older one; the node is then still on the page.
  leave() {
    if (this.node.isConnected) return;
    this.widthWatch.disconnect();
    removeEventListener("resize", this.resized);
    clearTimeout(this.waiting);
    if (onPage[this.message.name] === this) delete onPage[this.message.name];
    window.Plotly?.purge(this.node);
  }
}

export default function ({ data, parentElement }) {
  if (!figures.has(parentElement)) figures.set(parentElement, new LiveFigure(parentElement));
  const figure = figures.get(parentElement);
  figure.show(JSON.parse(new TextDecoder().decode(data)));
  return () => figure.leave();
}
