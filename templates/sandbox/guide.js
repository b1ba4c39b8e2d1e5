// The guide for a first visit: a few steps, each next to the part of the page it is about, until it is dismissed.
import { $, el } from "./dom.js";
import { icon } from "./icons.js";
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
    // on a phone the text waits behind a button
    const more = el("button", { type: "button", id: "guide-more", class: "quiet", "aria-expanded": "false", "aria-controls": "guide-text", onclick: () => {
      more.setAttribute("aria-expanded", String(more.getAttribute("aria-expanded") === "false"));
      this.popup?.place();
    } }, "More");
    const skip = el("button", { type: "button", class: "quiet", "aria-label": "Skip the guide", onclick: () => this.end() },
      el("span", { class: "long" }, "Skip the guide"), el("span", { class: "short" }, icon("close")));
    $("guide").replaceChildren(el("h2", { id: "guide-title" }, title), el("p", { id: "guide-text" }, text),
      el("footer", {}, el("span", { class: "note" }, `${at + 1} of ${this.steps.length}`), more, last ? null : skip, next));
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
