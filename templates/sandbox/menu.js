// The button with three dots, and the menu it opens. ARIA's menu button pattern.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { Popup } from "./popup.js";

// items: [{label, note?, act}]
export function menuButton(items, { label, key, className = "" }) {
  const entries = items.map((item) => el("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => {
    close();
    item.act();
  } }, el("span", {}, item.label), item.note ? el("span", { class: "note" }, item.note) : null));
  const menu = el("div", { role: "menu", class: "popup", "aria-label": label }, ...entries);
  const button = el("button", { type: "button", class: "overflow-button", "aria-label": label, "aria-haspopup": "menu", "aria-expanded": "false", "data-key": key,
    onclick: () => (popup.open ? close() : open(0)), onkeydown: (event) => event.key === "ArrowDown" && (event.preventDefault(), open(0)) }, icon("more"));
  const popup = new Popup(menu, button, { end: true });

  function open(at) {
    popup.show();
    button.setAttribute("aria-expanded", "true");
    entries[at]?.focus();
  }

  function close() {
    if (!popup.open) return;
    const inside = menu.contains(document.activeElement);
    popup.hide();
    button.setAttribute("aria-expanded", "false");
    if (inside) button.focus();
  }

  menu.addEventListener("keydown", (event) => {
    const at = entries.indexOf(document.activeElement);
    const steps = { ArrowDown: (at + 1) % entries.length, ArrowUp: (at - 1 + entries.length) % entries.length, Home: 0, End: entries.length - 1 };
    if (event.key in steps) entries[steps[event.key]].focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const node = el("div", { class: `overflow ${className}` }, button, menu);
  node.addEventListener("focusout", (event) => !node.contains(event.relatedTarget) && close());
  return node;
}
