// The clock: what time it is, how it is moved, and what happened on the way.
import { $, el, moment, plural } from "./dom.js";

const SHORT = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
const FULL = { ...SHORT, year: "numeric" };
const MOST = 8;
const NARROW = matchMedia("(max-width: 48rem)");

export class Clock {
  constructor(page, send, go, refresh) {
    Object.assign(this, { page, send, go, refresh, busy: false, wasPlaying: false, idle: false });
    this.buttons = [...document.querySelectorAll("[data-move]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.move(button));
    $("came-close").addEventListener("click", () => this.forget());
  }

  show(state) {
    const zone = this.page().tz ?? "UTC";
    const full = moment(state.now, zone, FULL);
    $("now").textContent = NARROW.matches ? moment(state.now, zone, SHORT) : full;
    $("now").title = full;
    $("now").dateTime = state.now;
    $("local").textContent = zone.split("/").at(-1).replaceAll("_", " ");
    const still = state.moving || this.busy;
    for (const button of [...this.buttons, $("play")]) {
      if (still) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    // a play that ends with a recap says there what happened
    if (this.wasPlaying && !state.playing && !state.recap.length) this.tell(state.came.happened ?? [], state.came.now, state.played);
    if (state.playing && !this.wasPlaying && !this.busy) this.forget();
    this.wasPlaying = state.playing;
  }

  async move(button) {
    if (button.getAttribute("aria-disabled")) return;
    await this.during(async () => {
      const before = this.page().now;
      const answer = await this.send("clock", { move: button.dataset.move, as: this.page().as });
      if (!answer.ok) this.line(answer.problem, []);
      else if (button.dataset.move === "next" && answer.now === before && !answer.happened.length) {
        this.line("Nothing is scheduled. Start a cycle first.", []);
        this.idle = true;
      }
      else this.tell(answer.happened, answer.now);
    });
  }

  async during(work) {
    this.busy = true;
    this.line("Moving the clock…", []);
    for (const other of [...this.buttons, $("play")]) other.setAttribute("aria-disabled", "true");
    try {
      await work();
    } catch (error) {
      this.line(`The workspace can't be reached: ${error.message}`, []);
    } finally {
      this.busy = false;
      await this.refresh();
    }
  }

  // The person who acts now stays, if they can see the place.
  sees(place) {
    return this.page().places.some((entry) => entry.id === place);
  }

  tell(happened, now, before = "") {
    const count = happened.reduce((sum, place) => sum + place.count, 0);
    const at = moment(now, this.page().tz ?? "UTC", SHORT);
    const said = count ? plural(count, "new message") : "nothing sent";
    this.line(`${before ? `${before} ` : ""}${at}: ${said}`, happened);
  }

  // Somebody did something: that nothing is scheduled may no longer be true.
  acted() {
    if (this.idle) this.forget();
  }

  line(sentence, happened) {
    this.idle = false;
    $("came").hidden = false;
    $("came-words").textContent = sentence;
    const shown = happened.slice(0, MOST);
    const button = (place) => el("button", { type: "button", class: "came-place", "data-place": place.place, "data-as": place.as,
      onclick: () => this.go(place.place, this.sees(place.place) ? undefined : place.as) }, place.dm ? `DM to ${place.name}` : place.name, el("span", { class: "count" }, String(place.count)));
    const more = happened.length > MOST ? el("span", { class: "note" }, `and ${happened.length - MOST} more`) : "";
    $("came-places").replaceChildren(...shown.map(button), more);
  }

  forget() {
    const inside = $("came").contains(document.activeElement);
    $("came").hidden = true;
    if (inside) this.buttons[0].focus();
  }
}
