"use strict";
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const { T, H, layers, frames, history } = run;
  const states = Uint8Array.from(atob(run.states), (c) => c.charCodeAt(0));
  const slider = document.getElementById("frame");
  const choice = document.getElementById("layer");
  const root = document.documentElement;
  const LEFT = 48, RIGHT = 12, TOP = 8, BOTTOM = 38;
  const BROKEN = 255; // no number, see report.py

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const onScreen = () => !root.classList.contains("on-paper");
  const paperWidth = () => parseFloat(getComputedStyle(root).getPropertyValue("--paper-width")); // what is hidden has no width to ask for
  const layer = () => (choice ? Number(choice.value) : layers - 1);
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

  function palette() {
    const stops = colour("state").split(" ").map(rgb);
    const found = [];
    for (let value = 0; value < BROKEN; value++) {
      const place = (value / (BROKEN - 1)) * (stops.length - 1);
      const i = Math.min(Math.floor(place), stops.length - 2);
      found.push(stops[i].map((start, c) => start + (place - i) * (stops[i + 1][c] - start)));
    }
    found.push(rgb(colour("bad")));
    return found;
  }

  function paint(canvas, frame, colours) {
    canvas.width = T;
    canvas.height = H;
    const picture = canvas.getContext("2d"), image = picture.createImageData(T, H);
    const start = (frame * layers + layer()) * T * H;
    for (let t = 0; t < T; t++) {
      for (let unit = 0; unit < H; unit++) {
        const [r, g, b] = colours[states[start + t * H + unit]];
        image.data.set([r, g, b, 255], 4 * (unit * T + t));
      }
    }
    picture.putImageData(image, 0, 0);
  }

  function ticks(low, high, most, whole = false) {
    const rough = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    if (whole) step = Math.max(1, Math.round(step));
    const found = [];
    for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * step; i++) found.push(i * step);
    return found;
  }

  const short = (value) => (Math.abs(value) >= 1e5 ? (+value.toPrecision(4)).toExponential() : String(+value.toPrecision(6)));
  const tens = (power) => `10${String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)])}`;

  function path(points) {
    let drawn = "", pen = false;
    for (const [x, y] of points) {
      if (y === null) { pen = false; continue; }
      drawn += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      if (!pen) drawn += "h0.01"; // a single point is a dot
      pen = true;
    }
    return drawn;
  }

  // One chart with axes. lines: [{xs, ys, colour, width, dash, name}]; marks: [{x, colour}], upright lines.
  function chart(width, height, { x, y, lines, marks = [], title, under, log = false }) {
    const w = width - LEFT - RIGHT, h = height - TOP - BOTTOM;
    const px = (v) => LEFT + ((v - x[0]) / (x[1] - x[0] || 1)) * w;
    const py = (v) => TOP + (1 - (v - y[0]) / (y[1] - y[0] || 1)) * h;
    const parts = [];
    for (const v of ticks(y[0], y[1], 4, log)) {
      parts.push(`<path d="M${LEFT} ${py(v)}h${w}" stroke="${colour("grid")}"/>`);
      parts.push(`<text x="${LEFT - 6}" y="${py(v) + 4}" text-anchor="end">${log ? tens(v) : short(v)}</text>`);
    }
    for (const v of ticks(x[0], x[1], Math.max(2, Math.min(8, w / 70)), true)) {
      parts.push(`<text x="${px(v)}" y="${TOP + h + 16}" text-anchor="middle">${short(v)}</text>`);
    }
    parts.push(`<text x="${LEFT + w}" y="${TOP + h + 33}" text-anchor="end">${under}</text>`);
    for (const line of lines) {
      const d = path(line.xs.map((v, i) => [px(v), line.ys[i] === null ? null : py(line.ys[i])]));
      parts.push(`<path class="${line.name}" d="${d}" fill="none" stroke="${line.colour}" stroke-linecap="round"` +
        ` stroke-linejoin="round" stroke-width="${line.width}" stroke-dasharray="${line.dash || ""}"/>`);
    }
    for (const mark of marks) {
      parts.push(`<path class="cursor" d="M${px(mark.x).toFixed(1)} ${TOP}v${h}" stroke="${mark.colour}"` +
        ` stroke-dasharray="3 3"/>`);
    }
    return `<svg role="img" aria-label="${title}" height="${height}" viewBox="0 0 ${width} ${height}">` +
      `<rect x="${LEFT}" y="${TOP}" width="${w}" height="${h}" fill="${colour("panel")}"/>${parts.join("")}</svg>`;
  }

  function span(values) {
    const known = values.filter((v) => v !== null);
    return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  }

  const decades = Array.from({ length: layers }, (_, i) => {
    const [low, high] = span(frames.flatMap((frame) => frame.gradient[i]));
    return [Math.floor(low), Math.max(Math.ceil(high), Math.floor(low) + 1)];
  });

  function gradient(frame, width, height) {
    const i = layer(), xs = Array.from({ length: T }, (_, t) => t + 1);
    const lines = [{ xs, ys: frames[frame].gradient[i], colour: colour("hidden"), width: 2.5, name: "gradient" }];
    if (frame > 0) {
      lines.unshift({ xs, ys: frames[0].gradient[i], colour: colour("faint"), width: 1.2, dash: "4 4", name: "before" });
    }
    const about = `Gradient over time after ${frames[frame].step} updates`;
    return chart(width, height, { x: [0.5, T + 0.5], y: decades[i], lines, title: about, under: "time step", log: true });
  }

  function draw(place, frame, colours, heading = "") {
    if (!place.firstChild) {
      place.innerHTML = `<h3></h3><p class="caption"></p><canvas role="img"></canvas>` +
        `<p class="caption"></p><div></div>`;
    }
    const [title, caption, canvas, below, curve] = place.children;
    title.textContent = heading;
    title.hidden = !heading;
    caption.innerHTML = `Hidden state of one probe sequence, ${H} units over ${T} steps: −1<span class="legend"` +
      ` style="background:linear-gradient(to right,${colour("state").split(" ").join(",")})"></span>1${run.beyond ? " and beyond" : ""}`;
    canvas.setAttribute("aria-label", `Hidden states after ${frames[frame].step} updates`);
    paint(canvas, frame, colours);
    below.textContent = `Gradient ‖∂L/∂hₜ‖ of the last output's loss${frame > 0 ? "; dashed: before training" : ""}`;
    curve.innerHTML = place.clientWidth ? gradient(frame, place.clientWidth, 190) : gradient(frame, paperWidth(), 150);
  }

  function progress(step) {
    const place = document.getElementById("progress");
    const room = onScreen() ? place.clientWidth : paperWidth();
    const width = room >= 600 ? (room - 20) / 2 : room || 300;
    const end = frames[frames.length - 1].step;
    const marks = step === null ? [] : [{ x: step, colour: colour("ink") }];
    place.innerHTML = ["loss", "metric"].map((name) => {
      const values = history[name], [low, high] = span(name === "metric" ? [...values, run.goal] : values);
      const margin = 0.05 * (high - low || Math.abs(high) || 1);
      const lines = [{ xs: history.step, ys: values, colour: colour(name), width: 1.6, name }];
      if (name === "metric") {
        lines.unshift({ xs: [0, end], ys: [run.goal, run.goal], colour: colour("good"), width: 1, dash: "2 4", name: "goal" });
      }
      const title = run.titles[name];
      return `<div><p class="caption">${title}</p>` +
        chart(width, 170, { x: [0, Math.max(end, 1)], y: [low - margin, high + margin], lines, marks, title, under: "update" }) + "</div>";
    }).join("");
  }

  function show() {
    const frame = Number(slider.value), told = frames[frame].told[layer()];
    document.getElementById("told").textContent = told;
    slider.setAttribute("aria-valuetext", told);
    draw(document.getElementById("now"), frame, palette());
    progress(onScreen() ? frames[frame].step : null);
  }

  function showAll() {
    const colours = palette(), last = frames.length - 1;
    draw(document.getElementById("first"), 0, colours, frames[0].told[layer()]);
    draw(document.getElementById("final"), last, colours, frames[last].told[layer()]);
    show();
  }

  function onPaper(printing) {
    root.classList.toggle("on-paper", printing);
    showAll();
  }

  slider.addEventListener("input", show);
  if (choice) choice.addEventListener("change", showAll);
  window.addEventListener("resize", show);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showAll);
  window.addEventListener("beforeprint", () => onPaper(true));
  window.addEventListener("afterprint", () => onPaper(false));
  showAll();
})();
