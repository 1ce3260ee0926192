// The slider through a run's training (look_back.py). Streamlit calls the default export at the end of every run of
// the page's script; what it returns is called when the slider leaves the page.
const sliders = (window.rnnvizLookBack ??= {}); // by the key of the picture that each follows
const newest = {}; // the step that is shown, and on which page, by that key
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];

class LookBack {
  constructor(parent) {
    this.node = document.createElement("label");
    this.node.className = "look-back";
    this.node.title = "Look back through the training: drag, or use the arrow keys. Play goes on from what is shown";
    this.input = Object.assign(document.createElement("input"), { type: "range", min: 0, step: 1 });
    this.input.setAttribute("aria-label", "Look back: updates made");
    this.output = document.createElement("output");
    this.node.append(this.input, this.output);
    parent.append(this.node);
    this.input.addEventListener("input", () => this.want(this.snapped(Number(this.input.value))));
    this.input.addEventListener("change", () => !this.keyed && this.release()); // a pointer's release
    this.input.addEventListener("keydown", ({ key }) => KEYS.includes(key) && (this.keyed = true));
    this.input.addEventListener("keyup", ({ key }) => KEYS.includes(key) && this.release());
    this.input.addEventListener("blur", () => this.keyed && this.release());
  }

  // The page's script has drawn the state after `step` of `end` updates.
  show(data, ask) {
    const { picture, page, run, step, end, kept, playing } = data;
    // a picture of this page may have come before, and Streamlit renders it again and again
    if (!(newest[picture]?.page >= page)) newest[picture] = { page, step };
    if (run !== this.run || playing) this.wanted = this.asked = undefined;
    Object.assign(this, { picture, run, kept, playing, ask });
    this.input.max = end;
    if (this.wanted === undefined) this.place(newest[picture].step);
    else if (this.asked === newest[picture].step) this.see(this.asked, page);
  }

  place(step) {
    if (step > Number(this.input.max)) this.input.max = step;
    this.node.classList.toggle("away", this.playing || this.input.max === "0");
    this.input.value = step;
    this.seen = step;
    this.tell(step);
  }

  tell(step) {
    const [now, last] = [step, Number(this.input.max)].map((number) => number.toLocaleString("en"));
    this.output.textContent = `update ${now} of ${last}`;
    this.input.setAttribute("aria-valuetext", this.output.textContent);
    this.input.style.setProperty("--done", Number(this.input.value) / Math.max(Number(this.input.max), 1));
  }

  // A pixel may stand for many updates: the pointer takes one that costs the server no training, if there is one.
  snapped(step) {
    if (this.keyed || !this.kept.length) return step;
    const pixel = Number(this.input.max) / this.input.clientWidth / 2;
    const near = this.kept.reduce((a, b) => (Math.abs(b - step) < Math.abs(a - step) ? b : a));
    return Math.abs(near - step) <= pixel ? near : step;
  }

  want(step) {
    this.wanted = step;
    this.tell(step);
    if (this.asked === undefined) this.again();
  }

  // Also when the connection was lost: nothing that was asked before it comes any more.
  again() {
    if (this.wanted === undefined || this.wanted === this.seen) return;
    this.asked = this.wanted;
    window.rnnvizChannel?.say({ picture: this.picture, look: this.asked });
  }

  // A picture of a page has come, of the state after `step` updates.
  see(step, page) {
    newest[this.picture] = { page, step };
    this.seen = step;
    if (this.wanted === undefined) return this.place(step);
    if (this.asked === undefined || step !== this.asked) return;
    this.asked = undefined;
    if (this.wanted !== step) this.again();
    else if (this.released) this.finish();
  }

  release() {
    this.keyed = false;
    if (this.wanted === undefined) return;
    this.released = true;
    if (this.asked === undefined) this.finish();
  }

  finish() {
    this.released = false;
    const step = this.wanted;
    this.wanted = undefined;
    this.ask(`${this.run}.${step}`);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(":scope > .look-back");
  const slider = (node && sliders[data.picture]) || new LookBack(parentElement);
  sliders[data.picture] = slider;
  const trigger = asking(setTriggerValue);
  slider.show(data, (why) => trigger("looked", why));
  return () => {
    if (parentElement.isConnected) return;
    slider.node.remove();
    if (sliders[data.picture] === slider) delete sliders[data.picture];
  };
}
