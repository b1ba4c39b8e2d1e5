// A box one types into to search a list: one choice, or several shown as chips. ARIA's combobox pattern.
import { badge, el } from "./dom.js";
import { icon } from "./icons.js";
import { Popup } from "./popup.js";

const folded = (words) => words.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
let lists = 0;

export class Combobox {
  // options: [{value, label, note, count, face?}]; `face()` makes the picture before a label; onchange(value) after a choice
  constructor({ options, value, many = false, clearable = false, most, id, label, describedby, placeholder, key, onchange }) {
    Object.assign(this, { options, many, clearable, most, onchange, shown: [], at: -1 });
    this.chosen = many ? [...(value ?? [])] : value ?? null;
    const list = `list-${(lists += 1)}`;
    this.list = el("div", { id: list, role: "listbox", class: "popup", "aria-label": label ?? "Choices" });
    this.chips = many ? el("span", { class: "chips" }) : null;
    this.input = el("input", { id, role: "combobox", type: "text", autocomplete: "off", spellcheck: "false", "aria-expanded": "false",
      "aria-controls": list, "aria-autocomplete": "list", "aria-label": label, "aria-describedby": describedby, placeholder, "data-key": key,
      oninput: () => this.open(this.input.value), onkeydown: (event) => this.keys(event),
      onclick: () => this.open(""), onfocus: () => this.input.select(), onblur: () => setTimeout(() => document.activeElement === this.input || this.close(), 120) });
    this.node = el("div", { class: "combobox" }, this.chips, this.input, this.list);
    this.popup = new Popup(this.list, this.input, { wide: true });
    this.paint();
  }

  value() {
    return this.chosen;
  }

  set(options, value) {
    this.options = options;
    this.chosen = value;
    if (this.popup.open) return;
    this.paint();
  }

  labelOf(value) {
    return this.options.find((option) => option.value === value)?.label ?? value;
  }

  paint() {
    if (!this.many) {
      this.input.value = this.chosen ? this.labelOf(this.chosen) : "";
      return;
    }
    this.chips.replaceChildren(...this.chosen.map((value) => el("button", { type: "button", class: "chip", "aria-label": `Remove ${this.labelOf(value)}`,
      onclick: () => this.drop(value) }, this.labelOf(value), icon("close"))));
    this.input.value = "";
  }

  drop(value) {
    this.chosen = this.chosen.filter((other) => other !== value);
    this.paint();
    this.input.focus();
    this.onchange?.(this.chosen);
  }

  open(search) {
    const wanted = folded(search).split(/\s+/).filter(Boolean);
    const left = this.options.filter((option) => !this.many || !this.chosen.includes(option.value));
    this.shown = left.filter((option) => wanted.every((word) => folded(`${option.label} ${option.note ?? ""}`).includes(word)));
    if (this.many && this.most && this.chosen.length >= this.most) this.shown = [];
    this.at = search && this.shown.length ? 0 : this.shown.findIndex((option) => option.value === this.chosen);
    const items = this.shown.map((option, at) => el("div", { role: "option", class: option.face ? "person-option" : null, id: `${this.list.id}-${at}`, "aria-selected": String(at === this.at),
      onmousedown: (event) => event.preventDefault(), onclick: () => this.pick(option) },
      ...said(option), badge(option.count)));
    this.list.replaceChildren(...(items.length ? items : [el("div", { class: "note nothing", role: "option", "aria-disabled": "true" }, "No matches")]));
    this.popup.show();
    this.input.setAttribute("aria-expanded", "true");
    if (!search && !this.many) this.input.select();
    this.mark();
  }

  close() {
    if (!this.popup.open) return;
    this.popup.hide();
    if (this.clearable && !this.many && !this.input.value) this.chosen = null;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.paint();
  }

  mark() {
    [...this.list.children].forEach((item, at) => item.setAttribute?.("aria-selected", String(at === this.at)));
    const item = this.at >= 0 ? this.list.children[this.at] : null;
    if (item) {
      this.input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  }

  pick(option) {
    if (this.many) this.chosen = [...this.chosen, option.value];
    else this.chosen = option.value;
    this.input.value = option.label;
    this.close();
    this.onchange?.(this.chosen);
  }

  keys(event) {
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      if (!this.popup.open) this.open("");
      const count = this.shown.length;
      if (count) this.at = (this.at + (key === "ArrowDown" ? 1 : this.at < 0 ? 0 : -1) + count) % count;
      this.mark();
    } else if (key === "Enter" && this.popup.open) {
      event.preventDefault();
      if (this.shown[this.at]) this.pick(this.shown[this.at]);
    } else if (key === "Escape" && this.popup.open) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (key === "Backspace" && this.many && !this.input.value && this.chosen.length) {
      this.drop(this.chosen.at(-1));
    } else if (key === "Tab") {
      this.close();
    }
  }
}

function said(option) {
  const words = el("span", { class: "option-label" }, option.label);
  const note = option.note ? el("span", { class: "note" }, option.note) : null;
  return option.face ? [option.face(), el("span", { class: "two" }, words, note)] : [words, note];
}
