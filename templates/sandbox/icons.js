// The page's icons, drawn on a grid of 24, and the faces of people and of the bot.
const DRAWN = "http://www.w3.org/2000/svg";
const PATHS = {
  menu: "M4 7h16M4 12h16M4 17h16", search: "M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM16 16l4.2 4.2", clock: "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4zM12 7.5V12l3 2",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11", back: "M14.5 5.5L8 12l6.5 6.5", down: "M6.5 9.5L12 15l5.5-5.5", check: "M5 12.5l4.5 4.5L19 7.5",
  home: "M4.5 11L12 4.5l7.5 6.5M6.5 9.5v10h11v-10M10 19.5v-5h4v5", hash: "M9.5 4.5l-2 15M16.5 4.5l-2 15M4.5 9h15.5M4 15h15.5",
  lock: "M6.5 10.5h11v9h-11zM8.5 10.5v-3a3.5 3.5 0 0 1 7 0v3", bolt: "M13 3.5L5.5 13.5H11l-1 7 8-10.5h-5.5z", code: "M8.5 7L3.5 12l5 5M15.5 7l5 5-5 5",
  eye: "M2.8 12S6.2 5.8 12 5.8 21.2 12 21.2 12 17.8 18.2 12 18.2 2.8 12 2.8 12zM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z",
  person: "M12 4.5a3.75 3.75 0 1 0 0 7.5 3.75 3.75 0 0 0 0-7.5zM4.8 20c.6-3.6 3.4-5.5 7.2-5.5s6.6 1.9 7.2 5.5", message: "M4.5 5h15v11h-8l-4.5 3.5V16h-2.5z",
};
const SOLID = {
  send: "M3.6 4.2c-.2-.7.5-1.3 1.1-1l16 8c.7.3.7 1.3 0 1.6l-16 8c-.6.3-1.3-.3-1.1-1L5.8 13l7.2-1-7.2-1z", play: "M7 4.8v14.4c0 .6.7 1 1.2.7l11.4-7.2c.5-.3.5-1 0-1.4L8.2 4.1C7.7 3.8 7 4.2 7 4.8z",
  pause: "M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z", more: "M6 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM12 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM18 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
};

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS(DRAWN, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function icon(name) {
  const path = drawn("path", { d: PATHS[name] ?? SOLID[name] });
  return drawn("svg", { viewBox: "0 0 24 24", class: SOLID[name] ? "icon solid" : "icon", "aria-hidden": "true" }, path);
}

export function paintIcons() {
  for (const place of document.querySelectorAll("[data-icon]")) place.replaceWith(icon(place.dataset.icon));
}

const TINTS = 8;
function span(className, ...children) {
  const node = document.createElement("span");
  node.className = className;
  node.setAttribute("aria-hidden", "true");
  node.append(...children);
  return node;
}

// Initials on a color that their ID decides.
export function face(name, id, size = "") {
  const initials = name.split(/\s+/).filter(Boolean).map((word) => word[0]).filter((first) => /\p{L}|\d/u.test(first));
  const letters = initials.length > 1 ? initials[0] + initials.at(-1) : initials[0] ?? "?";
  const tint = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % TINTS;
  return span(`avatar tint-${tint} ${size}`, letters.toUpperCase());
}

// The bot: four weeks as rising bars.
export function botFace(size = "") {
  const bars = [[8, 20, 9], [13, 17, 12], [18, 13, 16], [23, 9, 20]].map(([x, y, height], at) =>
    drawn("rect", { x, y, width: 3.4, height, rx: 1.7, fill: at === 3 ? "#5fd3a4" : "#ffffff" }));
  return span(`avatar ${size}`, drawn("svg", { viewBox: "0 0 36 36" }, drawn("rect", { width: 36, height: 36, fill: "#2b3140" }), ...bars));
}
