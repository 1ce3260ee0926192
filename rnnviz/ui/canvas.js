// Paints a figure's traces on a canvas over plotly's own axes: about a millisecond a frame, where plotly.js takes
// tens. Only what moves is painted; axes, labels and notes stay plotly's. Every number below that says where or how
// something is drawn is plotly.js's own rule, so that a figure looks the same before and after plotly draws it.

const KINDS = ["heatmap", "bar", "scatter"]; // in the order in which plotly stacks them
const FAR = 1e6; // pixels; graphics libraries fail beyond
const ROUNDING = 0.008; // pixels; browsers round sizes down to a 64th of a pixel, and would then resample the canvas
const UNEVEN = 0.01; // largest deviation of evenly spaced cells, as a share of their width

// What a trace may say. One that says anything else is left to plotly.
const UNSEEN = "type name uid xaxis yaxis customdata meta hoverinfo hovertext hovertemplate showlegend legendgroup showscale";
const MARKER = "marker.color marker.line.color marker.line.width";
const ATTRIBUTES = Object.fromEntries(
  Object.entries({
    scatter: `x y mode text textfont.size textfont.color opacity line.color line.width line.dash line.simplify ${MARKER}
      marker.size marker.symbol marker.opacity marker.cmin marker.cmax marker.colorscale`,
    heatmap: "x y z zmin zmax colorscale",
    bar: `x y ${MARKER}`,
  }).map(([kind, names]) => [kind, new Set(`${UNSEEN} ${names}`.split(/\s+/))]),
);

// ---------------------------------------------------------------- what arrives

const ARRAYS = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  i2: Int16Array,
  i1: Int8Array,
  u4: Uint32Array,
  u2: Uint16Array,
  u1: Uint8Array,
};

/** Return a copy of a trace, or of any part of it, whose packed arrays {dtype, bdata, shape} are typed arrays. */
function decoded(part) {
  if (Array.isArray(part)) return part.some((item) => item && typeof item === "object") ? part.map(decoded) : part;
  if (!part || typeof part !== "object") return part;
  if (part.bdata !== undefined) return unpacked(part);
  return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, decoded(value)]));
}

function unpacked({ dtype, bdata, shape }) {
  const text = atob(bdata);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  const values = new ARRAYS[dtype](bytes.buffer);
  if (!shape) return values;
  const [rows, columns] = String(shape).split(",").map(Number);
  if (columns === undefined) return values;
  return Array.from({ length: rows }, (_, row) => values.subarray(row * columns, (row + 1) * columns));
}

const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

/** Return a function of the point's number, for an attribute that is one value or a list of them. */
const each = (value, otherwise) => (isList(value) ? (i) => value[i] : () => value ?? otherwise);

// ---------------------------------------------------------------- what can be painted

/** Return whether a trace, its arrays decoded, can be painted on its axes, which plotly has drawn. */
function paints(trace, x, y) {
  const known = ATTRIBUTES[trace.type];
  if (!known || !x?._length || !y?._length || !names(trace).every((name) => known.has(name))) return false;
  return { scatter: paintsScatter, heatmap: paintsHeatmap, bar: paintsBar }[trace.type](trace, x, y);
}

function names(part, prefix = "") {
  return Object.entries(part).flatMap(([name, value]) =>
    value && typeof value === "object" && !isList(value) ? names(value, `${prefix}${name}.`) : [prefix + name],
  );
}

const isNumeric = (axis) => axis.type === "linear" || axis.type === "log";

function paintsScatter(trace, x, y) {
  if (!isNumeric(x) || !isNumeric(y) || !trace.x || !trace.y || !trace.mode) return false;
  const { lines, markers, text } = partsOf(trace);
  const several = lines + markers + text > 1;
  if (several && (trace.opacity ?? 1) < 1) return false; // plotly fades the trace as a whole
  if (lines && !(trace.line?.color && (trace.line.dash ?? "solid") in DASHES)) return false;
  if (markers && !paintsMarkers(trace)) return false;
  if (text && !(trace.textfont?.size && trace.textfont.color)) return false;
  return !text || (isList(trace.text) && trace.text.every(isPlain));
}

function paintsMarkers({ marker = {}, line }) {
  const symbols = isList(marker.symbol) ? marker.symbol : [marker.symbol ?? "circle"];
  if (!symbols.every((symbol) => symbol in SYMBOLS)) return false;
  if ((marker.opacity ?? (isList(marker.size) ? 0 : 1)) !== 1) return false; // plotly fades markers of many sizes
  if (isList(marker.size) && marker.line?.width === undefined) return false; // and gives them a rim
  if (marker.line?.width && !marker.line.color) return false;
  if (marker.colorscale) return isList(marker.color) && isFixed(marker.colorscale, marker.cmin, marker.cmax);
  return Boolean(marker.color ?? line?.color) || symbols.every((symbol) => symbol.endsWith("thin"));
}

/** Return whether plotly would draw a text as it stands: no tags but bold ones, no entities, one line. */
const isPlain = (text) => !/[<>&\n\r]/.test(withoutBold(text)[0]);

function withoutBold(text) {
  const bold = /^<b>(.*)<\/b>$/.exec(text);
  return bold ? [bold[1], "bold "] : [String(text ?? ""), ""];
}

function paintsHeatmap(trace, x, y) {
  if (!trace.z?.length || x.type !== "linear" || y.type !== "linear") return false;
  return isFixed(trace.colorscale, trace.zmin, trace.zmax) && isEven(trace.x) && isEven(trace.y);
}

function isFixed(scale, low, high) {
  const written = isList(scale) && scale.every(([, colour]) => /^#[0-9a-f]{6}$/i.test(colour));
  return written && low !== undefined && high !== undefined;
}

function isEven(places) {
  if (!places || places.length < 3) return true;
  const step = places[1] - places[0];
  return places.every((place, i) => !i || Math.abs(place - places[i - 1] - step) <= UNEVEN * Math.abs(step));
}

/** Bars with a rim that start at 0, on categories that plotly knows. */
function paintsBar({ x: names, y: sizes, marker }, x, y) {
  if (x.type !== "category" || y.type !== "linear" || !isList(names) || !isList(sizes)) return false;
  if (!marker?.color || !marker.line?.color || !marker.line.width) return false;
  return names.every((name) => x._categoriesMap?.[name] !== undefined);
}

// ---------------------------------------------------------------- places and colours

/** Return a function from a value on an axis to pixels from the plot's left or top; NaN for what has no place. */
function scaleOf({ type, _m: slope, _b: start, _categoriesMap: numbers }) {
  const place = (value) => Math.max(-FAR, Math.min(FAR, Math.round(100 * (start + slope * value)) / 100));
  if (type === "category") return (name) => place(numbers[name]);
  const finite = (value) => (Number.isFinite(value) ? place(value) : NaN); // null is no number either
  return type === "log" ? (value) => finite(value > 0 ? Math.log10(value) : NaN) : finite;
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** Return a function that writes the colour of a value on a colorscale into bytes at a place; none for NaN. */
function colouring(scale, low, high) {
  const stops = scale.map(([place, colour]) => [place, channels(colour)]);
  return (value, bytes, at) => {
    const place = Math.max(0, Math.min(1, (value - low) / (high - low)));
    if (Number.isNaN(place)) return;
    let above = 1;
    while (above < stops.length - 1 && place > stops[above][0]) above++;
    const [[left, from], [right, to]] = [stops[above - 1], stops[above]];
    const share = (place - left) / (right - left);
    for (let i = 0; i < 3; i++) bytes[at + i] = Math.round(from[i] + share * (to[i] - from[i]));
    bytes[at + 3] = 255;
  };
}

// ---------------------------------------------------------------- heatmaps

const cells = document.createElement("canvas"); // a pixel a cell, reused by all figures

function paintHeatmap(pen, trace, x, y) {
  const [rows, columns] = [trace.z.length, trace.z[0].length];
  const [left, right] = ends(trace.x, columns, scaleOf(x));
  const [bottom, top] = ends(trace.y, rows, scaleOf(y));
  const [width, height] = [Math.round(Math.abs(right - left)), Math.round(Math.abs(top - bottom))];
  drawCells(trace, rows, columns);
  pen.imageSmoothingEnabled = false;
  pen.translate(Math.min(left, right), Math.min(bottom, top));
  pen.beginPath();
  pen.rect(0, 0, width, height); // images end at whole pixels of the screen, a clip blends into the last one
  pen.clip();
  pen.translate(right < left ? width : 0, top < bottom ? height : 0);
  pen.scale(((right < left ? -1 : 1) * width) / columns, ((top < bottom ? -1 : 1) * height) / rows);
  pen.drawImage(cells, -1, -1);
}

/** Draw the first row of z at the top, and a rim of the outermost cells once more, which fills the last pixels. */
function drawCells({ z, zmin, zmax, colorscale }, rows, columns) {
  [cells.width, cells.height] = [columns + 2, rows + 2];
  const pen = cells.getContext("2d");
  const image = pen.createImageData(cells.width, cells.height);
  const colour = colouring(colorscale, zmin, zmax);
  const within = (i, count) => Math.max(0, Math.min(count - 1, i));
  let at = 0;
  for (let row = -1; row <= rows; row++) {
    const values = z[within(row, rows)];
    for (let i = -1; i <= columns; i++, at += 4) colour(values[within(i, columns)] ?? NaN, image.data, at);
  }
  pen.putImageData(image, 0, 0);
}

/** Return the pixels of the outer edges of the first and the last of some evenly spaced cells. */
function ends(places, count, scale) {
  const first = places ? places[0] : 0;
  const step = places && count > 1 ? places[1] - places[0] : 1;
  return [scale(first - step / 2), scale(first + (count - 0.5) * step)];
}

// ---------------------------------------------------------------- bars

const BAR_SHARE = 0.8; // of the room between two categories

function paintBar(pen, trace, x, y) {
  const [across, up] = [scaleOf(x), scaleOf(y)];
  const [width, { color, line }] = [BAR_SHARE * x._m, trace.marker];
  const [fill, rim] = [each(color), each(line.color)];
  pen.lineWidth = line.width;
  trace.x.forEach((name, i) => {
    const height = up(trace.y[i]) - up(0);
    if (Number.isNaN(height)) return;
    pen.beginPath();
    pen.rect(across(name) - width / 2, up(0), width, height);
    pen.fillStyle = fill(i);
    pen.strokeStyle = rim(i);
    pen.fill();
    pen.stroke();
  });
}

// ---------------------------------------------------------------- lines, markers, text

const SHARPEST = 2; // plotly's stroke-miterlimit

/** Dashes in units of the line's width, which counts as 3 at least. */
const DASHES = {
  solid: [],
  dot: [1, 1],
  dash: [3, 3],
  longdash: [5, 5],
  dashdot: [3, 1, 1, 1],
  longdashdot: [5, 2, 2, 2],
};

/** Markers of radius r around the origin, as SVG paths. */
const SYMBOLS = {
  circle: (r) => `M${r},0A${r},${r} 0 1,1 0,${-r}A${r},${r} 0 0,1 ${r},0Z`,
  square: (r) => `M${r},${r}H${-r}V${-r}H${r}Z`,
  "triangle-up": (r) => `M${-r * WIDE},${r / 2}H${r * WIDE}L0,${-r}Z`,
  "triangle-down": (r) => `M${-r * WIDE},${-r / 2}H${r * WIDE}L0,${r}Z`,
  "triangle-left": (r) => `M${r / 2},${-r * WIDE}V${r * WIDE}L${-r},0Z`,
  "triangle-right": (r) => `M${-r / 2},${-r * WIDE}V${r * WIDE}L${r},0Z`,
  "x-thin": (r) => `M${r},${r}L${-r},${-r}M${r},${-r}L${-r},${r}`,
  "line-ns": (r) => `M0,${1.4 * r}V${-1.4 * r}`,
};
const WIDE = 2 / Math.sqrt(3); // half the base of a triangle, in radii
SYMBOLS["circle-open"] = SYMBOLS.circle;

function partsOf({ mode, text }) {
  const has = (part) => mode.split("+").includes(part);
  return { lines: has("lines"), markers: has("markers"), text: has("text") && text !== null };
}

function paintScatter(pen, trace, x, y, font) {
  const [across, up] = [scaleOf(x), scaleOf(y)];
  const points = Array.from(trace.x, (value, i) => [across(value), up(trace.y[i])]);
  const { lines, markers, text } = partsOf(trace);
  pen.globalAlpha = trace.opacity ?? 1;
  if (lines) paintLine(pen, trace.line, points);
  if (markers) paintMarkers(pen, trace, points);
  if (text) paintTexts(pen, trace, points, font);
  pen.globalAlpha = 1;
}

const isThere = ([left, top]) => !Number.isNaN(left) && !Number.isNaN(top);

function paintLine(pen, { color, width = 2, dash = "solid" }, points) {
  if (!width) return;
  pen.beginPath();
  let begun = false;
  for (const point of points) {
    const there = isThere(point);
    if (there) begun ? pen.lineTo(...point) : pen.moveTo(...point);
    begun = there;
  }
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.miterLimit = SHARPEST;
  pen.setLineDash(DASHES[dash].map((part) => part * Math.max(width, 3)));
  pen.stroke();
  pen.setLineDash([]);
}

function paintMarkers(pen, { marker = {}, line }, points) {
  const [symbol, size, rim] = [each(marker.symbol, "circle"), each(marker.size, 6), each(marker.line?.color)];
  const fill = marker.colorscale ? onScale(marker) : each(marker.color, line?.color);
  const width = each(marker.line?.width, 0);
  points.forEach((point, i) => {
    if (!isThere(point) || !size(i)) return;
    const open = symbol(i).endsWith("-open");
    const [shape, colour, stroke] = [outline(symbol(i), size(i) / 2), fill(i), open ? width(i) || 1 : width(i)];
    pen.translate(...point);
    if (!open && colour) {
      pen.fillStyle = colour;
      pen.fill(shape);
    }
    if (stroke) {
      pen.lineWidth = stroke;
      pen.strokeStyle = open ? colour : rim(i);
      pen.stroke(shape);
    }
    pen.translate(-point[0], -point[1]);
  });
}

const outlines = new Map(); // building a path costs more than drawing it

function outline(symbol, radius) {
  const key = `${symbol} ${radius}`;
  if (!outlines.has(key)) outlines.set(key, new Path2D(SYMBOLS[symbol](radius)));
  return outlines.get(key);
}

function onScale({ color, colorscale, cmin, cmax }) {
  const write = colouring(colorscale, cmin, cmax);
  const rgb = new Uint8Array(4);
  return (i) => (write(color[i], rgb, 0), `rgb(${rgb[0]},${rgb[1]},${rgb[2]})`);
}

const BASELINE = 0.25; // below the middle of a text, in font sizes

function paintTexts(pen, { text, textfont }, points, font) {
  const [size, colour] = [each(textfont.size), each(textfont.color)];
  pen.textAlign = "center";
  points.forEach((point, i) => {
    const [words, weight] = withoutBold(text[i]);
    if (!words || !isThere(point)) return;
    pen.font = `${weight}${size(i)}px ${font}`;
    pen.fillStyle = colour(i);
    pen.fillText(words, point[0], point[1] + BASELINE * size(i));
  });
}

// ---------------------------------------------------------------- the canvas

const PAINTERS = { heatmap: paintHeatmap, bar: paintBar, scatter: paintScatter };

/** The canvas of one figure: between plotly's traces, which it hides while it is shown, and plotly's notes. */
export class Canvas {
  constructor(node) {
    this.node = node; // plotly's
    this.canvas = document.createElement("canvas");
    this.canvas.className = "live-canvas";
    this.pen = this.canvas.getContext("2d");
  }

  get shown() {
    return this.node.classList.contains("painted");
  }

  /** Return traces with typed arrays, which plotly is to draw as they are: it would move lines by up to a pixel. */
  decoded(traces) {
    const exact = (trace) => (trace.line ? { ...trace, line: { simplify: false, ...trace.line } } : trace);
    return traces.map(decoded).map(exact);
  }

  /** Return whether all traces, their arrays decoded, can be painted on the axes that plotly has drawn. */
  paints(traces) {
    if (!this.node._fullLayout || this.fitted !== this.fittedTo(traces)) return false;
    return traces.every((trace) => paints(trace, ...this.axes(trace)));
  }

  /** Call after plotly has drawn these traces. */
  drawn(traces) {
    this.fitted = this.fittedTo(traces);
  }

  /** Return what determines those ranges that plotly chooses itself: the places of the traces on these axes. */
  fittedTo(traces) {
    const places = (trace, letter) => [...(trace[letter] ?? [trace.z?.length, trace.z?.[0].length])];
    const along = (trace) => (axis, i) => (axis?.autorange ? [[axis._id, places(trace, "xy"[i])]] : []);
    return JSON.stringify(traces.flatMap((trace) => this.axes(trace).flatMap(along(trace))));
  }

  axes({ xaxis = "x", yaxis = "y" }) {
    return [xaxis, yaxis].map((id) => this.node._fullLayout[`${id[0]}axis${id.slice(1)}`]);
  }

  paint(traces) {
    this.fit();
    for (const subplot of this.node._fullLayout._subplots.cartesian) {
      const own = traces.filter(({ xaxis = "x", yaxis = "y" }) => xaxis + yaxis === subplot);
      for (const kind of KINDS) own.filter((trace) => trace.type === kind).forEach((trace) => this.paintTrace(trace));
    }
    this.node.classList.add("painted");
  }

  paintTrace(trace) {
    const [x, y] = this.axes(trace);
    const { pen } = this;
    pen.save();
    pen.translate(x._offset, y._offset);
    pen.beginPath();
    pen.rect(0, 0, x._length, y._length);
    pen.clip();
    PAINTERS[trace.type](pen, trace, x, y, this.node._fullLayout.font.family);
    pen.restore();
  }

  /** Lay the canvas over plotly's picture and clear it; a pixel of the canvas is one of the screen. */
  fit() {
    const { width, height } = this.node._fullLayout;
    const picture = this.node.querySelector(".main-svg");
    if (this.canvas.previousSibling !== picture) picture.after(this.canvas);
    const shrunk = picture.getBoundingClientRect().width / width; // on a phone, by CSS
    const dots = devicePixelRatio * shrunk;
    const [columns, rows] = [width, height].map((size) => Math.ceil(size * dots - ROUNDING));
    const css = (pixels) => `${(pixels + ROUNDING) / devicePixelRatio}px`;
    if (this.canvas.width !== columns) this.canvas.width = columns;
    if (this.canvas.height !== rows) this.canvas.height = rows;
    this.canvas.style.width = css(columns);
    this.canvas.style.height = css(rows);
    this.canvas.style.transform = shrunk === 1 ? "" : `scale(${1 / shrunk})`;
    this.pen.resetTransform();
    this.pen.clearRect(0, 0, columns, rows);
    this.pen.scale(dots, dots);
  }

  /** Show plotly's picture instead, once the browser has unpacked the images in it: they arrive late. */
  async hide() {
    if (!this.shown) return;
    await Promise.all([...this.node.querySelectorAll("image")].map((image) => image.decode?.().catch(() => {})));
    this.node.classList.remove("painted");
  }
}
