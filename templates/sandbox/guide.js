// The guide for a first visit: a few steps, each next to the part of the page it is about, until it is dismissed.
import { $, el } from "./dom.js";
import { Popup } from "./popup.js";

const KEPT = "guide-dismissed";

export class Guide {
  constructor() {
    Object.assign(this, { at: 0, steps: null });
    $("guide").addEventListener("keydown", (event) => event.key === "Escape" && this.end());
  }

  show(steps) {
    if (this.steps || !steps?.length || localStorage.getItem(KEPT)) return;
    this.steps = steps;
    this.step(0);
  }

  step(at) {
    this.at = at;
    const { title, text, at: where } = this.steps[at];
    const last = at === this.steps.length - 1;
    const next = el("button", { type: "button", class: "primary", onclick: () => (last ? this.end() : this.step(at + 1)) }, last ? "Got it" : "Next");
    $("guide").replaceChildren(el("h2", { id: "guide-title" }, title), el("p", {}, text),
      el("footer", {}, el("span", { class: "note" }, `${at + 1} of ${this.steps.length}`),
        last ? null : el("button", { type: "button", class: "quiet", onclick: () => this.end() }, "Skip the guide"), next));
    this.point($(where));
    next.focus({ preventScroll: true });
  }

  point(part) {
    this.popup?.hide();
    for (const old of document.querySelectorAll(".pointed-at")) old.classList.remove("pointed-at");
    if (!part) return;
    part.classList.add("pointed-at");
    this.popup = new Popup($("guide"), part, { end: part.getBoundingClientRect().right > innerWidth - 40 });
    this.popup.show();
  }

  end() {
    localStorage.setItem(KEPT, "1");
    this.point(null);
    $("guide").hidden = true;
    $("text").focus({ preventScroll: true });
  }
}
