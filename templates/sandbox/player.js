// The played story: its buttons, following the action from place to place, and the recap at the end.
import { $, el } from "./dom.js";
import { icon } from "./icons.js";

const BUTTONS = { pause: "Pause", resume: "Resume" };

export class Player {
  // `visit(place, member, ts)` goes somewhere on the page
  constructor(page, send, visit, refresh) {
    Object.assign(this, { page, send, visit, refresh, following: true, seen: "", wasPlaying: false });
    $("play").addEventListener("click", () => this.play());
    $("stop").addEventListener("click", () => this.tell({ move: "stop" }));
    $("pause").addEventListener("click", () => this.tell({ move: this.page().paused ? "resume" : "pause" }));
    for (const button of document.querySelectorAll("[data-speed]")) button.addEventListener("click", () => this.tell({ move: "speed", speed: Number(button.dataset.speed) }));
    $("follow").addEventListener("click", () => this.follow(!this.following));
    $("recap-close").addEventListener("click", () => ($("recap").hidden = true));
  }

  async tell(body) {
    await this.send("clock", body);
    await this.refresh();
  }

  async play() {
    if ($("play").getAttribute("aria-disabled")) return;
    $("recap").hidden = true;
    this.follow(true);
    const answer = await this.send("clock", { move: "play", as: this.page().as });
    await this.refresh();
    if (answer.ok) $("pause").focus();
  }

  // Who goes somewhere on their own is left there.
  follow(following) {
    this.following = following;
    this.seen = "";
    $("follow").setAttribute("aria-pressed", String(following));
  }

  show(state) {
    $("play").hidden = !state.can_play || state.playing;
    $("playing").hidden = !state.playing;
    $("played").textContent = state.played;
    document.body.classList.toggle("playing", state.playing);
    const word = state.paused ? BUTTONS.resume : BUTTONS.pause;
    if ($("pause").textContent !== word) $("pause").replaceChildren(icon(state.paused ? "play" : "pause"), el("span", { class: "long" }, word));
    for (const button of document.querySelectorAll("[data-speed]")) button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === state.speed));
    if (state.playing && this.following && state.shown) this.lead(state.shown);
    if (this.wasPlaying && !state.playing) this.recap(state.played, state.recap);
    this.wasPlaying = state.playing;
  }

  lead(shown) {
    const key = `${shown.place}/${shown.ts}/${shown.readers}`;
    if (key === this.seen) return;
    this.seen = key;
    this.visit(shown.place, this.reader(shown), shown.ts);
  }

  // The current person if they can read it, else the first person who can.
  reader(moment) {
    return moment.readers.includes(this.page().as) ? this.page().as : moment.readers[0];
  }

  recap(said, moments) {
    $("recap").hidden = !moments.length;
    $("recap-words").textContent = said;
    $("recap-moments").replaceChildren(...moments.map((moment) => el("li", {}, el("button", { type: "button", class: "recap-link",
      onclick: () => this.visit(moment.place, this.reader(moment), moment.ts) }, moment.label))));
  }
}
