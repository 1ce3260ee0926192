// Watches the sliders and tells Streamlit their values while they are dragged; Streamlit itself does so only when
// they are released. Streamlit calls the default export at the end of every run of the page's script, and of each
// fragment with sliders that answer at once.
const PACE = 66; // ms between two values that are told, at least: fifteen a second
const MOVING = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown"];

const pause = (time) => new Promise((done) => setTimeout(done, time));

class Hand {
  constructor() {
    this.places = new Map(); // of sliders, by name: the page, or a fragment
    this.prepared = new Map(); // pictures for each value of a slider, by its key
    this.seen = new MutationObserver(() => this.tell());
    const listen = (type, call) => addEventListener(type, call, { capture: true });
    listen("pointerdown", (event) => this.take(event));
    for (const type of ["pointerup", "pointercancel"]) listen(type, () => this.release());
    listen("keydown", (event) => this.repeat(event));
    listen("keyup", (event) => MOVING.includes(event.key) && this.stop());
    addEventListener("blur", () => this.stop());
  }

  // The place `name` was drawn once more: what was asked for has come.
  show({ name, keys, drawing, prepared }, ask) {
    for (const [key, { figure, url }] of Object.entries(prepared)) this.fetch(key, figure, url);
    const place = this.places.get(name) ?? {};
    this.places.set(name, Object.assign(place, { keys, ask }));
    if (drawing === place.drawing) return; // Streamlit only renders it again
    place.drawing = drawing;
    place.drawn?.();
  }

  async fetch(key, figure, url) {
    if (this.prepared.get(key)?.url === url) return;
    const pictures = { figure, url };
    this.prepared.set(key, pictures);
    const answer = await fetch(new URL(url, document.baseURI), { priority: "low" }).catch(() => undefined);
    if (answer?.ok) pictures.messages = await answer.json();
    else this.prepared.delete(key); // until the next drawing the server is asked for each picture
  }

  // Draw the picture that was prepared for a slider's value; return whether there is one.
  draw({ input, key }, playing) {
    const { figure, messages } = this.prepared.get(key) ?? {};
    const message = messages?.[Math.round((input.value - input.min) / input.step)];
    const place = window.rnnvizFigures?.[figure];
    if (message && place) place.show({ ...message, playing });
    return Boolean(message && place);
  }

  // The slider that an event is about, with its key and place; undefined if it does not answer at once.
  slider(event) {
    const input = event.target.closest?.("[data-testid=stSlider]")?.querySelector("input[type=range]");
    const classes = [...(input?.closest("[class*=st-key-]")?.classList ?? [])];
    const key = classes.find((name) => name.startsWith("st-key-"))?.slice("st-key-".length);
    const place = [...this.places.values()].find(({ keys }) => keys.includes(key));
    return input && !input.disabled && place && { input, key, place, from: Number(input.value) };
  }

  // One request at a time: the next value is told when the page shows this one.
  async asked(place) {
    const turn = (this.turn = {});
    await Promise.all([new Promise((drawn) => (place.drawn = drawn)), pause(PACE)]);
    if (turn !== this.turn) return;
    this.turn = undefined;
    this.tell();
  }

  take(event) {
    const grip = this.slider(event);
    if (!grip) return;
    Object.assign(this, { grip, told: grip.from, turn: undefined });
    this.seen.observe(grip.input, { attributes: true, attributeFilter: ["aria-valuetext", "value"] });
  }

  tell() {
    if (!this.grip || this.turn) return;
    const { input, key, place, from } = this.grip;
    const to = Number(input.value);
    if (to === this.told) return;
    this.told = to;
    if (this.draw(this.grip, true)) return;
    this.grip.asked = true;
    this.asked(place);
    place.ask({ key, from, to });
  }

  // Streamlit tells a value that differs from the one before.
  release() {
    if (!this.grip) return;
    const { input, key, place, from, asked } = this.grip;
    if (this.told !== from) this.draw(this.grip, false);
    this.grip = undefined;
    this.seen.disconnect();
    if (Number(input.value) === from && asked) place.ask({ key, end: true });
  }

  // Streamlit tells every move by key. A key that is held down moves the slider as fast as pictures come.
  repeat(event) {
    if (!event.repeat || !MOVING.includes(event.key)) return;
    const slider = this.slider(event);
    if (!slider) return;
    if (this.turn && this.repeating) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (!this.repeating) slider.place.ask({ key: slider.key, repeats: true });
    this.repeating = slider;
    this.asked(slider.place);
  }

  stop() {
    if (!this.repeating) return;
    const { key, place } = this.repeating;
    this.repeating = this.turn = undefined;
    place.ask({ key, end: true });
  }
}

export default function ({ data, setTriggerValue }) {
  const trigger = asking(setTriggerValue);
  (window.rnnvizHand ??= new Hand()).show(data, (moved) => trigger("moved", moved));
}
