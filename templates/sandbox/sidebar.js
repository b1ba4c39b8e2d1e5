// Who one acts as, and the bar at the left: every place with what is new in it.
import { Combobox } from "./combobox.js";
import { $, badge, el, keyed } from "./dom.js";
import { face, icon } from "./icons.js";

export class Sidebar {
  constructor(page, act, go, become) {
    Object.assign(this, { page, act, go });
    this.who = new Combobox({ options: [], value: null, id: "as", label: "Acting as", key: "act-as",
      onchange: (member) => become(member) });
    $("person").append(this.who.node);
    $("menu").addEventListener("click", () => this.toggle(!document.body.classList.contains("menu-open")));
    $("shade").addEventListener("click", () => this.toggle(false));
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.toggle(false));
  }

  toggle(open) {
    if (open === document.body.classList.contains("menu-open")) return;
    document.body.classList.toggle("menu-open", open);
    $("menu").setAttribute("aria-expanded", String(open));
    if (!open && $("nav").contains(document.activeElement)) $("menu").focus();
  }

  show(place) {
    const page = this.page();
    const mine = (user) => Number(user.id === page.as); // first, so that the list opens at its top
    const people = [...page.members].sort((one, other) => mine(other) - mine(one) || one.title.localeCompare(other.title) || one.shown.localeCompare(other.shown));
    this.who.set(people.map((user) => ({ value: user.id, label: user.shown, note: user.title || `@${user.name}`, count: user.unread,
      face: () => face(user.shown, user.id) })), page.as);
    const me = page.members.find((user) => user.id === page.as);
    keyed($("face"), me ? [{ key: me.id, print: me.shown, build: () => face(me.shown, me.id, "small") }] : []);
    const rooms = page.places ?? [];
    keyed($("home-place"), [this.entry({ id: "home", name: "Home", sign: "home", unread: 0 }, place)]);
    keyed($("rooms"), rooms.filter((room) => !room.dm).map((room) => this.entry({ ...room, name: room.name.slice(1), sign: room.private ? "lock" : "hash" }, place)));
    keyed($("apps"), rooms.filter((room) => room.dm).map((room) => this.entry({ ...room, sign: "message" }, place)));
    const others = page.members.filter((user) => user.unread && user.id !== page.as);
    keyed($("others"), others.length ? [{ key: "others", print: JSON.stringify(others.map((user) => [user.id, user.unread])), build: () => this.waiting(others) }] : []);
    const total = rooms.reduce((sum, room) => sum + room.unread, 0);
    keyed($("menu-badge"), total ? [{ key: "n", print: String(total), build: () => badge(total) }] : []);
    document.title = `${total ? `(${total}) ` : ""}${page.workspace ?? ""}`;
    this.shortcuts();
  }

  entry(room, place) {
    const current = room.id === place;
    const build = () => el("li", {}, el("button", { type: "button", class: room.unread ? "place unread" : "place", "aria-current": current ? "page" : null,
      "data-key": `place-${room.id}`, "data-place": room.id, onclick: () => this.go(room.id) },
      icon(room.sign), el("span", { class: "place-name" }, room.name), badge(room.unread)));
    return { key: room.id, print: JSON.stringify([room.name, room.unread, current]), build };
  }

  // Who else was written to: one click to read it as them.
  waiting(others) {
    return el("section", {}, el("h2", {}, "Unread for others"), el("ul", {}, ...others.map((user) => el("li", {}, el("button", {
      type: "button", class: "place", "data-key": `other-${user.id}`, onclick: () => this.go(`D${user.id.slice(1)}`, user.id) },
      face(user.shown, user.id, "small"), el("span", { class: "place-name" }, user.shown), badge(user.unread))))));
  }

  shortcuts() {
    const global = this.page().shortcuts.filter((shortcut) => !shortcut.on_message);
    $("shortcuts-section").hidden = !global.length;
    keyed($("shortcuts"), global.map((shortcut) => ({ key: shortcut.callback_id, print: shortcut.name, build: () => el("li", {}, el("button", {
      type: "button", class: "place", "data-key": `shortcut-${shortcut.callback_id}`, onclick: () => this.act({ do: "shortcut", callback_id: shortcut.callback_id }) },
      icon("bolt"), el("span", { class: "place-name" }, shortcut.name))) })));
  }
}
