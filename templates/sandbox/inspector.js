// What the workspace and the app said to each other: each request with its answer and how long it took.
import { $, el, keyed, moment } from "./dom.js";

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

export function showInspector(exchanges, zone) {
  keyed($("exchanges"), [...exchanges].reverse().map((exchange) => ({
    key: String(exchange.number), print: `${exchange.number}|${zone}`, build: () => entry(exchange, zone) })));
}

function entry(exchange, zone) {
  const failed = exchange.status < 200 || exchange.status >= 400 || exchange.answer?.ok === false;
  const outcome = exchange.answer?.ok === false ? exchange.answer.error : String(exchange.status || "no answer");
  const toApp = exchange.direction.endsWith("app");
  const details = el("details", { class: "exchange" },
    el("summary", {}, el("span", { class: "way", title: exchange.direction }, toApp ? "→ app" : "app →"),
      el("code", {}, exchange.what), el("span", { class: failed ? "outcome bad" : "outcome" }, outcome),
      el("span", { class: "note" }, `${exchange.took_ms} ms · ${moment(exchange.at, zone ?? "UTC", TIME)}`)));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(part("Request", exchange.request), part("Answer", exchange.answer));
  });
  return details;
}

function part(name, value) {
  const words = typeof value === "string" ? value || "(empty)" : JSON.stringify(value, null, 1);
  return el("div", {}, el("h3", {}, name), el("pre", { tabindex: "0" }, words));
}
