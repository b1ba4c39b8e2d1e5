// DOM nodes without HTML text: what a person typed only ever becomes a text node or an attribute.

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Puts items into a parent and keeps the nodes of those that look as before, so focus and open menus survive.
const kept = new WeakMap();
export function keyed(parent, items) {
  const before = kept.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const old = before.get(item.key);
    after.set(item.key, old?.print === item.print ? old : { print: item.print, node: item.build() });
  }
  const nodes = [...after.values()].map((entry) => entry.node);
  const staying = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  nodes.forEach((node, at) => {
    if (parent.childNodes[at] !== node) parent.insertBefore(node, parent.childNodes[at] ?? null);
  });
  kept.set(parent, after);
}

// Where the focus is, in words that survive the node: its own key and the key of its container.
export function focusMark() {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  return { node, key: node.dataset?.key, around: node.closest("[data-around]")?.dataset.around };
}

export function restoreFocus(mark, fallback) {
  if (!mark || (mark.node.isConnected && document.activeElement === mark.node)) return;
  const find = (name, value) => value && document.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
  const again = (mark.node.isConnected && mark.node) || find("key", mark.key) || find("around", mark.around) || fallback;
  again?.focus({ preventScroll: again === fallback });
}

export function keepFocus(render) {
  const mark = focusMark();
  render();
  if (mark && document.activeElement === document.body) restoreFocus(mark, null);
}

export function moment(iso, zone, options) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(new Date(iso));
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

export function badge(count, what = "new") {
  return count ? el("span", { class: "badge" }, String(count), el("span", { class: "hidden" }, ` ${what}`)) : null;
}
