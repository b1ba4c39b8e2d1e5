// Rich text and tables.
import { el } from "./dom.js";
import { emoji, link } from "./mrkdwn.js";

const TAGS = { rich_text_preformatted: "pre", rich_text_quote: "blockquote" };

export function rich(part, names) {
  if (part.type === "rich_text_list") {
    const list = part.elements.map((line) => el("li", {}, rich(line, names)));
    return el(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent ?? 0}` }, ...list);
  }
  return el(TAGS[part.type] ?? "div", { class: "mrkdwn" }, ...(part.elements ?? []).map((word) => richWord(word, names)));
}

function richWord(word, names) {
  if (word.type === "link") return link(word.url, word.text ?? word.url);
  if (word.type === "user") return el("span", { class: "mention" }, `@${names[word.user_id] ?? word.user_id}`);
  if (word.type === "channel") return el("span", { class: "mention" }, `#${names[word.channel_id] ?? word.channel_id}`);
  if (word.type === "emoji") return document.createTextNode(emoji(word.name));
  let node = document.createTextNode(word.text ?? word.range ?? word.fallback ?? "");
  for (const [style, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]]) {
    if (word.style?.[style]) node = el(tag, {}, node);
  }
  return node;
}

function cell(part, names) {
  return part.type === "rich_text" ? part.elements.map((inside) => rich(inside, names)) : [part.text ?? ""];
}

export function table(block, names) {
  const [head, ...rows] = block.rows;
  const side = (at) => (block.column_settings?.[at]?.align === "right" ? "right" : null);
  const line = (tag, row) => el("tr", {}, ...row.map((part, at) => el(tag, { class: side(at) }, ...cell(part, names))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" }, el("table", {},
    el("thead", {}, line("th", head)), el("tbody", {}, ...rows.map((row) => line("td", row)))));
}
