// Search over everything: channels and people by name, and messages by their words. ARIA's combobox pattern.
import { $, el, moment } from "./dom.js";
import { face, icon } from "./icons.js";

const WAIT_MS = 150;
const MOST = 6;
const WHEN = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
const folded = (words) => words.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();

export class Search {
  // `visit(place, member, ts)` goes somewhere on the page
  constructor(page, visit) {
    Object.assign(this, { page, visit, at: 0, shown: [], asked: 0 });
    this.dialog = $("search");
    this.list = el("div", { id: "search-list", role: "listbox", "aria-label": "Results" });
    this.note = el("p", { class: "note", role: "status" });
    this.input = el("input", { id: "search-text", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "true",
      "aria-controls": "search-list", "aria-autocomplete": "list", "aria-label": "Search channels, people and messages",
      placeholder: "Search channels, people and messages", oninput: () => this.later(), onkeydown: (event) => this.keys(event) });
    const close = el("button", { type: "button", class: "quiet", "aria-label": "Close search", onclick: () => this.dialog.close() }, icon("close"));
    this.dialog.append(el("div", { class: "search-box" }, icon("search"), this.input, close), this.list, this.note);
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    $("search-open").addEventListener("click", () => this.open());
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !document.querySelector("dialog[open]")) {
        event.preventDefault();
        this.open();
      }
    });
  }

  open() {
    this.input.value = "";
    this.dialog.showModal();
    this.fill([]);
    this.input.focus();
  }

  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(), WAIT_MS);
  }

  async ask() {
    const mine = (this.asked += 1);
    const typed = this.input.value.trim();
    const query = new URLSearchParams({ as: this.page().as, q: typed });
    const found = typed.length > 1 ? (await (await fetch(`/_sandbox/search?${query}`)).json()).messages : [];
    if (mine === this.asked) this.fill(found);
  }

  fill(messages) {
    const words = folded(this.input.value).split(/\s+/).filter(Boolean);
    const fits = (text) => words.every((word) => folded(text).includes(word));
    const { places, members } = this.page();
    const rooms = places.filter((room) => fits(room.name)).slice(0, MOST).map((room) => ({ group: "Channels and apps", sign: icon(room.dm ? "message" : room.private ? "lock" : "hash"),
      label: room.name.replace(/^#/, ""), go: () => this.visit(room.id) }));
    const people = members.filter((user) => fits(`${user.shown} ${user.name} ${user.title}`)).slice(0, MOST).map((user) => ({ group: "Act as",
      sign: face(user.shown, user.id, "small"), label: user.shown, note: user.title, go: () => this.visit(null, user.id) }));
    const said = messages.map((hit) => ({ group: "Messages", sign: icon("message"), label: hit.text, note: `${hit.name} · ${hit.who} · ${moment(hit.at, this.page().tz, WHEN)}`, long: true,
      go: () => this.visit(hit.place, undefined, hit.ts) }));
    this.shown = [...rooms, ...people, ...said];
    this.at = 0;
    this.paint();
  }

  paint() {
    const groups = [...new Set(this.shown.map((one) => one.group))];
    this.list.replaceChildren(...groups.map((group) => el("div", { role: "group", "aria-label": group }, el("div", { class: "group-label", "aria-hidden": "true" }, group),
      ...this.shown.filter((one) => one.group === group).map((one) => this.entry(one)))));
    this.note.textContent = this.shown.length ? "" : `No results for “${this.input.value.trim()}”`;
    this.mark();
  }

  entry(one) {
    const at = this.shown.indexOf(one);
    return el("div", { role: "option", id: `search-${at}`, class: one.long ? "long" : null, "aria-selected": "false", onclick: () => this.take(one) },
      one.sign, el("span", { class: "two" }, el("span", {}, one.label), one.note ? el("span", { class: "note" }, one.note) : null));
  }

  mark() {
    this.list.querySelectorAll("[role=option]").forEach((item, at) => item.setAttribute("aria-selected", String(at === this.at)));
    const item = $(`search-${this.at}`);
    if (!item) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", item.id);
    return item.scrollIntoView({ block: "nearest" });
  }

  take(one) {
    this.dialog.close();
    one.go();
  }

  keys(event) {
    const count = this.shown.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.at = count ? (this.at + (event.key === "ArrowDown" ? 1 : -1) + count) % count : 0;
    else if (event.key === "Enter" && this.shown[this.at]) this.take(this.shown[this.at]);
    else return;
    event.preventDefault();
    this.mark();
  }
}
