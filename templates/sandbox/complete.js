// Completion in the box one writes in: commands and their words, playbooks and steps, @names, #channels.
import { $, el } from "./dom.js";

const MOST = 60;

export class Completer {
  constructor(input, page) {
    Object.assign(this, { input, page, words: [], shown: [], at: -1, said: [], back: -1, dismissed: false });
    this.list = $("complete");
    $("slash").addEventListener("click", () => this.offer());
    input.addEventListener("input", () => this.suggest());
    input.addEventListener("focus", () => this.learn());
    input.addEventListener("blur", () => setTimeout(() => document.activeElement === input || this.hide(), 120));
    input.addEventListener("keydown", (event) => this.keys(event));
  }

  async learn() {
    const response = await fetch(`/_sandbox/words?as=${encodeURIComponent(this.page().as ?? "")}`);
    if (!response.ok) return;
    this.words = (await response.json()).words;
    if (!this.dismissed && document.activeElement === this.input && this.input.value) this.suggest();
  }

  // Everything that can be asked, for those who would rather click.
  async offer() {
    await this.learn();
    this.input.value = "/";
    this.input.focus();
    this.suggest();
  }

  remember(text) {
    this.said = [...this.said.filter((other) => other !== text), text];
    this.back = -1;
  }

  suggest() {
    this.dismissed = false;
    const text = this.input.value.slice(0, this.input.selectionStart);
    this.shown = this.fitting(text).slice(0, MOST);
    this.at = this.shown.length ? 0 : -1;
    this.paint();
  }

  // {from, text, hint}: `text` replaces the text from `from` to the caret.
  fitting(text) {
    const word = /(\S*)$/.exec(text)[1];
    const from = text.length - word.length;
    if (/^[@#]/.test(word)) return this.mentions(word, from);
    if (!text.startsWith("/")) return [];
    const low = text.toLowerCase();
    const phrases = this.words.filter((one) => one.text.startsWith("/") && one.text.startsWith(low) && one.text !== low.trim());
    if (phrases.length) return phrases.map((one) => ({ from: 0, text: `${one.text} `, hint: one.hint }));
    const slash = Object.entries(this.page().commands).filter(([name]) => name.startsWith(low) && name !== low);
    if (slash.length) return slash.map(([name, hint]) => ({ from: 0, text: `${name} `, hint }));
    if (!word) return [];
    const lowWord = word.toLowerCase();
    return this.words.filter((one) => !one.text.startsWith("/") && one.text.startsWith(lowWord) && one.text !== lowWord)
      .map((one) => ({ from, text: `${one.text} `, hint: one.hint }));
  }

  mentions(word, from) {
    const wanted = word.slice(1).toLowerCase();
    const people = this.page().members.map((user) => ({ text: `@${user.name}`, hint: user.shown }));
    const rooms = this.page().channels.map((room) => ({ text: `#${room.name}`, hint: "" }));
    return (word[0] === "@" ? people : rooms)
      .filter((one) => one.text.slice(1).includes(wanted) || one.hint.toLowerCase().includes(wanted))
      .map((one) => ({ from, text: `${one.text} `, hint: one.hint }));
  }

  paint() {
    const open = this.shown.length > 0;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    this.list.replaceChildren(...this.shown.map((one, at) => el("div", { role: "option", id: `complete-${at}`, "aria-selected": String(at === this.at),
      onmousedown: (event) => event.preventDefault(), onclick: () => this.take(one) },
      el("span", { class: "option-label" }, one.text), el("span", { class: "note" }, one.hint))));
    if (open && this.at >= 0) {
      this.input.setAttribute("aria-activedescendant", `complete-${this.at}`);
      this.list.children[this.at].scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  // Until something is typed again: the words that arrive meanwhile open nothing.
  hide() {
    this.dismissed = true;
    this.shown = [];
    this.at = -1;
    this.paint();
  }

  take(one) {
    const caret = this.input.selectionStart;
    const before = this.input.value.slice(0, one.from) + one.text;
    this.input.value = before + this.input.value.slice(caret).trimStart();
    this.input.setSelectionRange(before.length, before.length);
    this.suggest();
  }

  keys(event) {
    const { key } = event;
    const open = this.shown.length > 0;
    if (open && (key === "ArrowDown" || key === "ArrowUp")) {
      event.preventDefault();
      this.at = (this.at + (key === "ArrowDown" ? 1 : -1) + this.shown.length) % this.shown.length;
      this.paint();
    } else if (open && key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      this.take(this.shown[this.at]);
    } else if (open && key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.hide();
    } else if (!open && key === "ArrowUp" && this.said.length && (!this.input.value || this.back >= 0)) {
      event.preventDefault();
      this.back = this.back < 0 ? this.said.length - 1 : Math.max(0, this.back - 1);
      this.input.value = this.said[this.back];
    }
  }
}
