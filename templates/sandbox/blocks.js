// Blocks to DOM nodes. `where` says what the element belongs to: {channel, ts} or {view_id}.
import { control } from "./forms.js";
import { el, link, mrkdwn, text } from "./mrkdwn.js";

export function makeRenderer(page, act) {
  const names = () => page().names;

  function confirmed(element) {
    const asked = element.confirm;
    return !asked || window.confirm(`${asked.title.text}\n\n${asked.text.text}`);
  }

  function button(element, block, where) {
    const press = () => confirmed(element) && act({ do: "click", ...where, block_id: block.block_id, action_id: element.action_id });
    const node = el("button", { type: "button", class: element.style, onclick: press, "aria-label": element.accessibility_label,
      "data-key": `${where.ts ?? where.view_id}/${block.block_id}/${element.action_id}` }, element.text.text);
    return element.url ? el("span", { class: "row" }, node, link(element.url, "open link")) : node;
  }

  function choose(element, block, where, value) {
    return confirmed(element) && act({ do: "choose", ...where, block_id: block.block_id, action_id: element.action_id, value });
  }

  function overflow(element, block, where) {
    const options = element.options.map((option) => el("option", { value: option.value }, option.text.text));
    const select = el("select", { "aria-label": "More", onchange: () => select.value && choose(element, block, where, select.value) },
      el("option", { value: "" }, "⋯"), ...options);
    return select;
  }

  function interactive(element, block, where, values) {
    if (element.type === "button") return button(element, block, where);
    if (element.type === "overflow") return overflow(element, block, where);
    if (element.type === "image") return image(element);
    const id = `c-${block.block_id}-${element.action_id}`;
    const label = element.placeholder?.text ?? element.action_id;
    const onchange = () => choose(element, block, where, input.value());
    const input = control(element, values?.[block.block_id]?.[element.action_id], page(), { id, onchange });
    input.node.setAttribute("aria-label", label);
    return input.node;
  }

  function image(element) {
    const own = element.image_url?.startsWith(`${location.origin}/`);
    return own ? el("img", { src: element.image_url, alt: element.alt_text }) : el("span", { class: "note" }, `[image: ${element.alt_text}]`);
  }

  function rich(part) {
    if (part.type === "rich_text_list") return el(part.style === "ordered" ? "ol" : "ul", {}, ...part.elements.map((line) => el("li", {}, rich(line))));
    const tag = { rich_text_preformatted: "pre", rich_text_quote: "blockquote" }[part.type] ?? "div";
    return el(tag, { class: "mrkdwn" }, ...(part.elements ?? []).map(richWord));
  }

  function richWord(word) {
    if (word.type === "link") return link(word.url, word.text ?? word.url);
    if (word.type === "user") return el("span", { class: "mention" }, `@${names()[word.user_id] ?? word.user_id}`);
    if (word.type === "channel") return el("span", { class: "mention" }, `#${names()[word.channel_id] ?? word.channel_id}`);
    if (word.type === "emoji") return document.createTextNode(`:${word.name}:`);
    let node = document.createTextNode(word.text ?? word.range ?? word.fallback ?? "");
    for (const [style, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]]) {
      if (word.style?.[style]) node = el(tag, {}, node);
    }
    return node;
  }

  function cell(part) {
    return part.type === "rich_text" ? part.elements.map(rich) : [part.text ?? ""];
  }

  function table(block) {
    const [head, ...rows] = block.rows;
    return el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, ...head.map((part) => el("th", {}, ...cell(part))))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((part) => el("td", {}, ...cell(part))))))));
  }

  const kinds = {
    header: (block) => el("h2", {}, block.text.text),
    divider: () => el("hr"),
    markdown: (block) => el("div", { class: "mrkdwn" }, block.text),
    image: (block) => el("figure", {}, image(block), block.title ? el("figcaption", {}, block.title.text) : null),
    table,
    rich_text: (block) => el("div", {}, ...block.elements.map(rich)),
    context: (block) => el("div", { class: "row" }, ...block.elements.map((part) => (part.type === "image" ? image(part) : text(part, names())))),
    actions: (block, where, values) => el("div", { class: "row" }, ...block.elements.map((part) => interactive(part, block, where, values))),
    input: (block, where, values) => el("div", {}, el("div", {}, block.label.text), interactive(block.element, block, where, values)),
    section: (block) => el("div", { class: "body" }, block.text ? text(block.text, names()) : null,
      block.fields ? el("div", { class: "fields" }, ...block.fields.map((part) => text(part, names()))) : null),
  };

  function blocks(list, where, values) {
    return el("div", {}, ...list.map((block) => {
      const body = kinds[block.type] ? kinds[block.type](block, where, values) : el("em", {}, `(${block.type})`);
      const accessory = block.accessory ? interactive(block.accessory, block, where, values) : null;
      return el("div", { class: `block ${block.type}` }, body, accessory);
    }));
  }

  function files(list) {
    return (list ?? []).map((file) => el("div", { class: "block" }, file.mimetype.startsWith("image/")
      ? image({ image_url: file.url_private, alt_text: file.alt_txt || file.title })
      : link(file.url_private, file.title)));
  }

  function message(shown, when) {
    const author = page().members.find((user) => user.id === shown.user);
    const who = shown.bot_id ? page().bot : author?.shown ?? (shown.user === "USLACKBOT" ? "Slackbot" : shown.user);
    const reply = shown.thread_ts && shown.thread_ts !== shown.ts;
    const where = { channel: page().place, ts: shown.ts };
    const body = shown.blocks ? blocks(shown.blocks, where) : mrkdwn(shown.text, names());
    const marks = [shown.ephemeral ? "Only visible to you" : "", shown.edited ? "edited" : "", reply ? "in a thread" : ""];
    const reactions = (shown.reactions ?? []).map((given) => `:${given.name}: ${given.count}`);
    const shortcuts = shown.ephemeral ? [] : page().shortcuts.filter((shortcut) => shortcut.on_message);
    const offered = shortcuts.map((shortcut) => el("button", { type: "button",
      onclick: () => act({ do: "shortcut", callback_id: shortcut.callback_id, ...where }) }, shortcut.name));
    return el("article", { class: `${shown.ephemeral ? "ephemeral" : ""} ${reply ? "reply" : ""}` },
      el("header", {}, el("strong", {}, who), el("time", { datetime: shown.at }, when(shown.at)),
        el("span", { class: "note" }, [...marks, ...reactions].filter(Boolean).join(" · "))),
      body, ...files(shown.files),
      offered.length ? el("details", {}, el("summary", { class: "note" }, "Shortcuts"), el("div", { class: "row" }, ...offered)) : null);
  }

  return { blocks, message };
}
