// A menu of which one entry is chosen. ARIA's select-only combobox pattern, on a button.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { Popup } from "./popup.js";

let lists = 0;
const TYPED_MS = 700;

export class Select {
  // groups: [{label?, options: [{value, label, note?}]}]; `none` is the label of choosing nothing
  constructor({ groups, value = null, none, placeholder = "Choose", id, label, describedby, key, onchange }) {
    const first = none ? [{ options: [{ value: null, label: none }] }] : [];
    Object.assign(this, { groups: [...first, ...groups], chosen: value, placeholder, onchange, at: -1, typed: "" });
    this.options = this.groups.flatMap((group) => group.options);
    const list = `select-${(lists += 1)}`;
    this.list = el("div", { id: list, role: "listbox", class: "popup", "aria-label": label ?? "Choices" });
    this.shown = el("span", { class: "select-value" });
    this.input = el("button", { id, type: "button", class: "select", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": list,
      "aria-label": label, "aria-describedby": describedby, "data-key": key, onclick: () => (this.popup.open ? this.close() : this.open()),
      onkeydown: (event) => this.keys(event), onblur: () => this.close() }, this.shown, icon("down"));
    this.node = el("div", { class: "combobox" }, this.input, this.list);
    this.popup = new Popup(this.list, this.input, { wide: true });
    this.paint();
  }

  value() {
    return this.chosen;
  }

  restore(value) {
    if (this.options.some((option) => option.value === value)) this.chosen = value;
    this.paint();
  }

  paint() {
    const chosen = this.options.find((option) => option.value === this.chosen && option.value !== null);
    this.shown.textContent = chosen?.label ?? this.placeholder;
    this.input.classList.toggle("unset", !chosen);
  }

  open() {
    let count = 0;
    const entry = (option) => {
      const at = count++;
      return el("div", { role: "option", id: `${this.list.id}-${at}`, class: option.value === this.chosen ? "chosen" : null, "aria-selected": "false",
        onmousedown: (event) => event.preventDefault(), onclick: () => this.pick(option) },
        el("span", {}, option.label), option.note ? el("span", { class: "note" }, option.note) : null, checkmark());
    };
    this.list.replaceChildren(...this.groups.flatMap((group) => group.label
      ? [el("div", { role: "group", "aria-label": group.label }, el("div", { class: "group-label", "aria-hidden": "true" }, group.label), ...group.options.map(entry))]
      : group.options.map(entry)));
    this.at = Math.max(0, this.options.findIndex((option) => option.value === this.chosen));
    this.popup.show();
    this.input.setAttribute("aria-expanded", "true");
    this.mark();
  }

  close() {
    if (!this.popup.open) return;
    this.popup.hide();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  mark() {
    const items = [...this.list.querySelectorAll("[role=option]")];
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === this.at)));
    if (!items[this.at]) return;
    this.input.setAttribute("aria-activedescendant", items[this.at].id);
    items[this.at].scrollIntoView({ block: "nearest" });
  }

  pick(option) {
    this.chosen = option.value;
    this.paint();
    this.close();
    this.onchange?.(this.chosen);
  }

  to(at) {
    if (!this.popup.open) this.open();
    this.at = Math.max(0, Math.min(at, this.options.length - 1));
    this.mark();
  }

  // Typing goes to the next entry that begins so.
  search(letter) {
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => (this.typed = ""), TYPED_MS);
    this.typed += letter.toLowerCase();
    const found = this.options.findIndex((option) => option.label.toLowerCase().startsWith(this.typed));
    if (found >= 0) this.to(found);
  }

  keys(event) {
    const { key } = event;
    const open = this.popup.open;
    const steps = { ArrowDown: open ? this.at + 1 : this.at, ArrowUp: open ? this.at - 1 : this.at, Home: 0, End: this.options.length - 1 };
    if (key in steps) this.to(key.startsWith("Arrow") && !open ? Math.max(0, this.options.findIndex((option) => option.value === this.chosen)) : steps[key]);
    else if (open && (key === "Enter" || key === " ")) this.pick(this.options[this.at]);
    else if (open && key === "Escape") this.close();
    else if (key.length === 1 && key !== " " && !event.ctrlKey && !event.metaKey) this.search(key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function checkmark() {
  const node = icon("check");
  node.classList.add("check");
  return node;
}
