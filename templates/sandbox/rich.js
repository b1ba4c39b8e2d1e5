// Rich text and tables.
import { dateWords } from "./dates.js";
import { el } from "./dom.js";
import { emoji, link } from "./mrkdwn.js";

const TAGS = { rich_text_preformatted: "pre", rich_text_quote: "blockquote" };
const UNIT = /(?<=\d) (?:\/ )?(?=(?:\p{L}{1,4}|%)(?!\p{L}))/gu;
const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];

export function rich(part, context) {
  if (part.type === "rich_text_list") {
    const lines = part.elements.map((line) => el("li", {}, rich(line, context)));
    const classes = `indent-${Math.min(part.indent ?? 0, 3)} ${part.border ? "bordered" : ""}`;
    return part.style === "ordered" ? el("ol", { class: classes, start: part.offset ? part.offset + 1 : null }, ...lines) : el("ul", { class: classes }, ...lines);
  }
  return el(TAGS[part.type] ?? "div", { class: "mrkdwn" }, ...(part.elements ?? []).map((word) => styled(bare(word, context), word.style)));
}

function bare(word, context) {
  const { names } = context;
  const mention = (words) => el("span", { class: "mention" }, words);
  switch (word.type) {
    case "link": return link(word.url, word.text ?? word.url);
    case "user": return mention(`@${names[word.user_id] ?? word.user_id}`);
    case "channel": return mention(`#${names[word.channel_id] ?? word.channel_id}`);
    case "usergroup": return mention(`@${names[word.usergroup_id] ?? word.usergroup_id}`);
    case "broadcast": return mention(`@${word.range}`);
    case "emoji": return document.createTextNode(emoji(word.name));
    case "date": return el("time", {}, dateWords(word.timestamp, word.format ?? "", word.fallback ?? "", context));
    case "color": return el("span", {}, swatch(word.value), word.value);
    default: return document.createTextNode(word.text ?? word.fallback ?? "");
  }
}

function swatch(value) {
  const node = el("span", { class: "swatch", "aria-hidden": "true" });
  node.style.background = value;
  return node;
}

function styled(node, style) {
  return STYLES.reduce((inner, [name, tag]) => (style?.[name] ? el(tag, {}, inner) : inner), node);
}

function cell(part, context) {
  return part?.type === "rich_text" ? part.elements.map((inside) => rich(inside, context)) : [part?.text ?? ""];
}

// A number and its unit stay on one line: `42 min`, `16 / h`.
function together(node) {
  const words = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) words.currentNode.data = words.currentNode.data.replaceAll(UNIT, (gap) => gap.replaceAll(" ", "\u00a0"));
  return node;
}

export function table(block, context) {
  const [head, ...rows] = block.rows;
  const side = (at) => block.column_settings?.[at]?.align;
  const line = (tag, row) => el("tr", {}, ...row.map((part, at) =>
    together(el(tag, { class: side(at) === "left" ? null : side(at), scope: tag === "th" ? "col" : null }, ...cell(part, context)))));
  const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table", onscroll: () => hint(box) }, el("table", {},
    el("thead", {}, line("th", head)), el("tbody", {}, ...rows.map((row) => line("td", row)))));
  new ResizeObserver(() => hint(box)).observe(box);
  return box;
}

// A table that goes on to the right fades there.
function hint(box) {
  box.classList.toggle("more", box.scrollWidth - box.clientWidth - box.scrollLeft > 1);
}
