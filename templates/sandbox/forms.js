// Every kind of input, and the dialog that holds them. A control is {node, value()}.
import { el, text } from "./mrkdwn.js";

const KEYS = ["value", "selected_option", "selected_user", "selected_conversation", "selected_channel", "selected_date",
  "selected_time", "selected_date_time", "selected_options", "selected_users", "selected_conversations", "selected_channels"];

function current(state) {
  const key = KEYS.find((name) => state && state[name] !== undefined && state[name] !== null);
  const value = key ? state[key] : null;
  if (Array.isArray(value)) return value.map((part) => part?.value ?? part);
  return value?.value ?? value;
}

function choices(element, page) {
  const kind = element.type.replace("multi_", "");
  if (kind === "users_select") return page.members.map((user) => [user.id, `${user.shown} (@${user.name})`]);
  if (kind === "conversations_select" || kind === "channels_select") {
    return page.places.filter((place) => place.id !== "home" && !place.dm).map((place) => [place.id, place.name]);
  }
  const options = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  return options.map((option) => [option.value, option.text.text]);
}

const MANY = (kind) => kind.startsWith("multi_") || kind === "checkboxes";
const MENU = /select$|^radio_buttons$|^checkboxes$/;
const TYPES = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local", email_text_input: "email",
  url_text_input: "url" };

export function control(element, state, page, { id, describedby, onchange }) {
  const value = current(state);
  if (MENU.test(element.type) && !element.type.includes("external")) {
    const list = choices(element, page);
    if (MANY(element.type) || element.type === "radio_buttons") return boxes(element, list, value, id, describedby, onchange);
    return menu(element, list, value, id, describedby, onchange);
  }
  const attributes = { id, "aria-describedby": describedby, onchange, placeholder: element.placeholder?.text };
  if (element.multiline) {
    const area = el("textarea", { ...attributes, rows: 4 });
    area.value = value ?? "";
    return { node: area, value: () => area.value || null };
  }
  const moment = element.type === "datetimepicker";
  const input = el("input", { ...attributes, type: TYPES[element.type] ?? "text",
    inputmode: element.type === "number_input" ? "decimal" : undefined });
  input.value = moment && value ? new Date(value * 1000).toISOString().slice(0, 16) : value ?? "";
  return { node: input, value: () => (moment && input.value ? Date.parse(`${input.value}Z`) / 1000 : input.value || null) };
}

function menu(element, list, value, id, describedby, onchange) {
  const first = element.placeholder?.text ?? "Choose";
  const options = [["", first], ...list].map(([key, label]) => el("option", { value: key, selected: key === value }, label));
  const select = el("select", { id, "aria-describedby": describedby, onchange }, ...options);
  return { node: select, value: () => select.value || null };
}

function boxes(element, list, value, id, describedby, onchange) {
  const many = element.type !== "radio_buttons";
  const inputs = list.map(([key, label]) => {
    const checked = many ? (value ?? []).includes(key) : key === value;
    const input = el("input", { type: many ? "checkbox" : "radio", name: id, value: key, onchange });
    input.checked = checked;
    return [input, el("label", {}, input, el("span", {}, label))];
  });
  const node = el("fieldset", { id, "aria-describedby": describedby }, ...inputs.map(([, label]) => label));
  const chosen = () => inputs.filter(([input]) => input.checked).map(([input]) => input.value);
  return { node, value: () => (many ? chosen() : chosen()[0] ?? null) };
}

export class FormDialog {
  constructor(dialog, act, renderBlocks) {
    this.dialog = dialog;
    this.act = act;
    this.renderBlocks = renderBlocks;
    this.shown = null;
    this.controls = new Map();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.act({ do: "close" });
    });
  }

  show(forms, page) {
    const view = forms?.at(-1);
    if (!view) {
      this.shown = null;
      if (this.dialog.open) this.dialog.close();
      return;
    }
    const key = `${view.id}/${view.hash}`;
    if (this.shown?.key === key) return;
    const typed = this.shown?.id === view.id ? this.values() : {};
    this.build(view, page, typed);
    this.shown = { key, id: view.id };
    if (!this.dialog.open) this.dialog.showModal();
  }

  values() {
    return Object.fromEntries([...this.controls].map(([block, { control: input }]) => [block, input.value()]));
  }

  build(view, page, typed) {
    this.controls = new Map();
    const body = view.blocks.map((block) =>
      block.type === "input" ? this.field(view, block, page, typed) : this.renderBlocks([block], { view_id: view.id }, view.state.values));
    const form = el("form", { novalidate: true, onsubmit: (event) => this.submit(event, view) },
      el("h2", { id: "form-title" }, view.title.text), ...body, el("p", { class: "error", role: "alert" }),
      el("div", { class: "row" },
        view.submit ? el("button", { type: "submit", class: "primary" }, view.submit.text) : null,
        el("button", { type: "button", onclick: () => this.act({ do: "close" }) }, view.close?.text ?? "Close")));
    this.dialog.replaceChildren(form);
  }

  field(view, block, page, typed) {
    const id = `field-${block.block_id}`;
    const state = view.state.values[block.block_id]?.[block.element.action_id];
    const onchange = block.dispatch_action
      ? () => this.act({ do: "fill", view_id: view.id, values: { [block.block_id]: input.value() } })
      : undefined;
    const input = control(block.element, state, page, { id, describedby: `${id}-hint ${id}-error`, onchange });
    if (block.block_id in typed && "value" in input.node && input.node.tagName !== "FIELDSET") {
      input.node.value = typed[block.block_id] ?? "";
    }
    const error = el("p", { class: "error", id: `${id}-error` });
    this.controls.set(block.block_id, { control: input, error });
    const label = block.label.text + (block.optional ? " (optional)" : "");
    const caption = input.node.tagName === "FIELDSET" ? null : el("label", { for: id }, label);
    if (!caption) input.node.prepend(el("legend", {}, label));
    const hint = el("div", { class: "hint", id: `${id}-hint` }, block.hint ? text(block.hint, page.names) : null);
    return el("div", { class: "field" }, caption, input.node, hint, error);
  }

  async submit(event, view) {
    event.preventDefault();
    const answer = await this.act({ do: "submit", view_id: view.id, values: this.values() });
    for (const [block, { error }] of this.controls) error.textContent = answer.errors?.[block] ?? "";
    const failed = this.dialog.querySelector("form > .error");
    if (failed) failed.textContent = answer.failure ? `The app didn't take it: ${answer.failure}` : answer.problem ?? "";
    const first = Object.keys(answer.errors ?? {})[0];
    if (first) this.controls.get(first)?.control.node.focus();
  }
}
