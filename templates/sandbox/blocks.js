// Blocks to DOM nodes. `where` says what the element belongs to: {channel, ts} or {view_id}.
import { el } from "./dom.js";
import { control } from "./inputs.js";
import { menuButton } from "./menu.js";
import { label, link, mrkdwn, text } from "./mrkdwn.js";
import { rich, table } from "./rich.js";

export function makeRenderer(page, act, confirmed) {
  const context = () => ({ names: page().names, now: page().now, zone: page().tz ?? "UTC" });
  const keyOf = (element, block, where) =>
    `${where.ts ?? "view"}/${where.ts ? block.block_id : ""}/${element.action_id}/${element.value ?? ""}`;

  async function press(event, element, block, where) {
    const node = event.currentTarget;
    if (node.getAttribute("aria-disabled")) return;
    if (!(await confirmed(element.confirm, context()))) return;
    node.setAttribute("aria-disabled", "true"); // a busy button keeps the focus, which `disabled` would drop
    await act({ do: "click", ...where, block_id: block.block_id, action_id: element.action_id, value: element.value });
    node.removeAttribute("aria-disabled");
  }

  function button(element, block, where) {
    const node = el("button", { type: "button", class: `block-button ${element.style ?? ""}`, "data-key": keyOf(element, block, where),
      "aria-label": element.accessibility_label, onclick: (event) => press(event, element, block, where) }, label(element.text));
    return element.url ? el("span", { class: "row" }, node, link(element.url, "open link")) : node;
  }

  async function choose(element, block, where, value) {
    if (await confirmed(element.confirm, context())) {
      await act({ do: "choose", ...where, block_id: block.block_id, action_id: element.action_id, value });
    }
  }

  function overflow(element, block, where) {
    const items = element.options.map((option) => ({ label: label(option.text), act: () => choose(element, block, where, option.value) }));
    return menuButton(items, { label: "More actions", key: keyOf(element, block, where) });
  }

  function interactive(element, block, where, values) {
    if (element.type === "button" || element.type === "workflow_button") return button(element, block, where);
    if (element.type === "overflow") return overflow(element, block, where);
    if (element.type === "image") return image(element);
    const id = `c-${where.ts ?? where.view_id}-${block.block_id}-${element.action_id}`.replaceAll(/[^\w-]/g, "-");
    const input = control(element, values?.[block.block_id]?.[element.action_id], page(), {
      id, label: element.placeholder?.text ?? "Choose", inline: true, key: keyOf(element, block, where),
      onchange: () => choose(element, block, where, input.value()) });
    return input.node;
  }

  // Pictures of the workspace itself are shown; nothing is fetched from anywhere else.
  function image(element) {
    const address = element.image_url ?? (element.slack_file?.url || `/files/${element.slack_file?.id}`);
    const own = address.startsWith(`${page().base_url}/`) ? address.slice(page().base_url.length) : address;
    return own.startsWith("/") || own.startsWith("data:image/") ? el("img", { src: own, alt: element.alt_text, loading: "lazy" })
      : el("span", { class: "outside" }, `Picture: ${element.alt_text}`);
  }

  function input(block, where, values) {
    return el("div", { class: "field" }, el("div", { class: "label" }, label(block.label)), interactive(block.element, block, where, values));
  }

  const kinds = {
    header: (block) => el("h3", {}, label(block.text)),
    divider: () => el("hr"),
    markdown: (block) => el("div", { class: "mrkdwn" }, block.text),
    image: (block) => el("figure", {}, block.title ? el("figcaption", {}, label(block.title)) : null, image(block)),
    table: (block) => table(block, context()),
    rich_text: (block) => el("div", {}, ...block.elements.map((part) => rich(part, context()))),
    context: (block) => el("div", { class: "row" }, ...block.elements.map((part) => (part.type === "image" ? image(part) : text(part, context())))),
    actions: (block, where, values) => el("div", { class: "row" }, ...block.elements.map((part) => interactive(part, block, where, values))),
    context_actions: (block, where, values) => kinds.actions(block, where, values),
    input,
    section: (block) => el("div", { class: "body" }, block.text ? text(block.text, context()) : null,
      block.fields ? el("div", { class: "fields" }, ...block.fields.map((part) => text(part, context()))) : null),
  };

  function one(block, where, values) {
    const body = kinds[block.type] ? kinds[block.type](block, where, values) : el("em", {}, `(${block.type})`);
    const accessory = block.accessory ? el("div", { class: "accessory" }, interactive(block.accessory, block, where, values)) : null;
    return el("div", { class: `block ${block.type}` }, body, accessory);
  }

  function blocks(list, where, values) {
    return el("div", { class: "blocks" }, ...list.map((block) => one(block, where, values)));
  }

  function file(shared) {
    const own = shared.url_private.startsWith(`${page().base_url}/`) ? shared.url_private.slice(page().base_url.length) : shared.url_private;
    const title = el("a", { href: own, download: shared.name }, shared.title);
    if (!shared.mimetype.startsWith("image/")) return el("div", { class: "file" }, title, el("span", { class: "note" }, shared.size < 1000 ? `${shared.size} bytes` : `${Math.round(shared.size / 1000)} KB`));
    return el("figure", { class: "file" }, el("figcaption", {}, title), image({ image_url: shared.url_private, alt_text: shared.alt_txt || shared.title }));
  }

  return { blocks, one, file, plain: (words) => mrkdwn(words, context()) };
}
