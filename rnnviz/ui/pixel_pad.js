// Streamlit calls the default export with every message; the pad is kept between messages.
const pads = new WeakMap(); // by parent element

const SIDE = 8;
const LEVELS = 16; // grey levels, as the scanned digits have
const [FULL, FADE] = [0.5, 0.75]; // pixels around the pen that it fills, and beyond them the pixels over which it fades

const HINT = "Arrow keys move, Space draws or erases a pixel, Delete erases it.";
const MOVES = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  Home: [0, -SIDE],
  End: [0, SIDE],
  PageUp: [-SIDE, 0],
  PageDown: [SIDE, 0],
};

function make(tag, parent, attributes = {}, text = "") {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  parent.append(node);
  return node;
}

const within = (place) => Math.max(0, Math.min(SIDE - 1, place));

class PixelPad {
  constructor(parent) {
    this.pixels = new Array(SIDE * SIDE).fill(0);
    this.erasing = false;
    const pad = make("div", parent, { class: "pad" });
    this.grid = make("div", pad, { class: "grid", role: "grid", "aria-describedby": "hint" });
    this.cells = [];
    for (let row = 0; row < SIDE; row++) {
      const line = make("div", this.grid, { class: "row", role: "row" });
      for (let column = 0; column < SIDE; column++)
        this.cells.push(make("div", line, { class: "cell", role: "gridcell", tabindex: "-1" }));
    }
    this.moveTo(0);
    this.addButtons(make("div", pad, { class: "buttons" }));
    make("div", pad, { class: "unseen", id: "hint" }, HINT);
    this.status = make("div", pad, { class: "unseen", role: "status" });
    this.listen();
    this.paint();
  }

  addButtons(bar) {
    const brush = make("div", bar, { class: "brush", role: "group", "aria-label": "The pen" });
    this.modes = ["Draw", "Erase"].map((name, erasing) => {
      const button = make("button", brush, { type: "button" }, name);
      button.addEventListener("click", () => this.setErasing(Boolean(erasing)));
      return button;
    });
    this.setErasing(false);
    make("button", bar, { type: "button", class: "clear" }, "Clear").addEventListener("click", () => {
      this.change(this.pixels.map(() => 0));
      this.report();
    });
  }

  setErasing(erasing) {
    this.erasing = erasing;
    this.modes.forEach((button, mode) => button.setAttribute("aria-pressed", Boolean(mode) === erasing));
  }

  listen() {
    this.grid.addEventListener("pointerdown", (event) => this.begin(event));
    this.grid.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      this.grid.addEventListener(end, (event) => this.end(event));
    this.grid.addEventListener("contextmenu", (event) => event.preventDefault()); // the right button erases
    this.grid.addEventListener("keydown", (event) => this.press(event));
    this.grid.addEventListener("focusin", (event) => this.moveTo(this.cells.indexOf(event.target)));
  }

  // Ignore a message with the same number as the last one: the visitor may have drawn more since.
  show({ pixels, number }, setStateValue) {
    this.setStateValue = setStateValue;
    if (number === this.number) return;
    this.number = number;
    this.stroke = null;
    this.reported = [...pixels];
    this.change([...pixels]);
  }

  change(pixels) {
    this.pixels = pixels;
    this.paint();
  }

  paint() {
    this.pixels.forEach((ink, place) => {
      const cell = this.cells[place];
      const percent = `${Math.round(100 * ink)}%`;
      if (cell.dataset.ink === percent) return;
      cell.dataset.ink = percent;
      cell.style.setProperty("--share", percent);
      cell.setAttribute("aria-label", `Row ${Math.floor(place / SIDE) + 1}, column ${(place % SIDE) + 1}: ${percent} ink`);
    });
    const inked = this.pixels.filter((ink) => ink >= 0.5).length;
    const told = inked ? `${inked} of ${SIDE * SIDE} are dark` : this.pixels.some(Boolean) ? "all are pale" : "empty";
    this.grid.setAttribute("aria-label", `Drawing of ${SIDE} by ${SIDE} pixels, ${told}`);
  }

  report() {
    if (this.pixels.every((ink, place) => ink === this.reported[place])) return;
    this.reported = [...this.pixels];
    // the time makes the value new even if the same image was drawn before
    this.setStateValue("drawing", { pixels: this.reported, over: this.number, at: Date.now() });
  }

  // The pen --------------------------------------------------------------------------------------
  begin(event) {
    if (this.stroke || ![0, 2, 5].includes(event.button)) return; // 5: the other end of a pen
    this.grid.setPointerCapture(event.pointerId);
    this.stroke = { pointer: event.pointerId, erases: this.erasing || event.button !== 0, at: this.placeOf(event) };
    this.touch(this.stroke.at);
  }

  drag(event) {
    if (event.pointerId !== this.stroke?.pointer) return;
    const [from, to] = [this.stroke.at, this.placeOf(event)];
    const steps = Math.ceil(4 * Math.hypot(to[0] - from[0], to[1] - from[1])); // no gaps in a fast stroke
    for (let step = 1; step <= steps; step++)
      this.touch(from.map((start, axis) => start + ((to[axis] - start) * step) / steps));
    this.stroke.at = to;
  }

  end(event) {
    if (event.pointerId !== this.stroke?.pointer) return;
    this.stroke = null;
    this.report();
  }

  // Where the pointer is, in pixels of the image from its top left corner: [row, column]
  placeOf(event) {
    const box = this.grid.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * SIDE, ((event.clientX - box.left) / box.width) * SIDE];
  }

  touch([y, x]) {
    const pixels = this.pixels.map((ink, place) => {
      const [row, column] = [Math.floor(place / SIDE), place % SIDE];
      const below = row === Math.floor(y) && column === Math.floor(x);
      const far = Math.hypot(row + 0.5 - y, column + 0.5 - x);
      const share = below ? 1 : Math.max(0, Math.min(1, (FULL + FADE - far) / FADE));
      const pressure = Math.round(share * LEVELS) / LEVELS;
      return this.stroke.erases ? Math.min(ink, 1 - pressure) : Math.max(ink, pressure);
    });
    this.change(pixels);
  }

  // The keyboard ---------------------------------------------------------------------------------
  moveTo(place) {
    if (place < 0) return;
    this.cells.forEach((cell, other) => (cell.tabIndex = other === place ? 0 : -1));
    this.place = place;
  }

  press(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const [row, column] = [Math.floor(this.place / SIDE), this.place % SIDE];
    const move = MOVES[event.key];
    if (move) this.cells[within(row + move[0]) * SIDE + within(column + move[1])].focus();
    else if ([" ", "Enter"].includes(event.key)) event.repeat || this.set(this.pixels[this.place] >= 0.5 ? 0 : 1);
    else if (["Delete", "Backspace"].includes(event.key)) this.set(0);
    else return;
    event.preventDefault(); // otherwise the page scrolls
    event.stopPropagation();
  }

  set(ink) {
    this.change(this.pixels.map((old, place) => (place === this.place ? ink : old)));
    this.status.textContent = this.cells[this.place].getAttribute("aria-label");
    this.report();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (!pads.has(parentElement)) pads.set(parentElement, new PixelPad(parentElement));
  pads.get(parentElement).show(data, setStateValue);
}
