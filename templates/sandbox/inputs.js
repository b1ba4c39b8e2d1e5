// Every kind of input. A control is {node, input, value()}: what is shown, what takes the focus, what is filled in.
import { Combobox } from "./combobox.js";
import { el } from "./dom.js";
import { label } from "./mrkdwn.js";
import { Select } from "./select.js";

const KEYS = ["value", "selected_option", "selected_user", "selected_conversation", "selected_channel", "selected_date",
  "selected_time", "selected_date_time", "selected_options", "selected_users", "selected_conversations", "selected_channels"];

function current(state) {
  const key = KEYS.find((name) => state && state[name] !== undefined && state[name] !== null);
  const value = key ? state[key] : null;
  if (Array.isArray(value)) return value.map((part) => part?.value ?? part);
  return value?.value ?? value;
}

const PEOPLE = (page) => page.members.map((user) => ({ value: user.id, label: user.shown, note: `@${user.name}` }));
const CHANNELS = (page) => page.channels.map((room) => ({ value: room.id, label: `#${room.name}` }));
const LISTS = { users_select: PEOPLE, channels_select: CHANNELS, conversations_select: CHANNELS };
const TYPES = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local", email_text_input: "email", url_text_input: "url" };

export function control(element, state, page, options) {
  const kind = element.type.replace("multi_", "");
  const many = element.type.startsWith("multi_");
  const value = current(state);
  if (LISTS[kind]) return combobox(element, LISTS[kind](page), value, many, options);
  if (element.type === "multi_static_select") return combobox(element, choices(element), value, true, options);
  if (kind === "static_select") return menu(element, value, options);
  if (kind === "radio_buttons" || kind === "checkboxes") return boxes(element, value, options);
  return written(element, value, options);
}

function choices(element) {
  const all = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  return all.map((option) => ({ value: option.value, label: label(option.text) }));
}

function combobox(element, list, value, many, { id, describedby, label: words, key, onchange }) {
  const box = new Combobox({ options: list, value, many, clearable: true, most: element.max_selected_items, id, describedby, label: words, key,
    placeholder: element.placeholder?.text ?? (many ? "Type to find, several can be chosen" : "Type to find"), onchange });
  return { node: box.node, input: box.input, value: () => box.value() };
}

function attributes({ id, describedby, label: words, key, onchange }) {
  return { id, "aria-describedby": describedby, "aria-label": words, "data-key": key, onchange };
}

function menu(element, value, { id, describedby, label: words, key, optional, onchange }) {
  const entries = (options) => (options ?? []).map((option) => ({ value: option.value, label: label(option.text), note: option.description ? label(option.description) : null }));
  const groups = [{ options: entries(element.options) }, ...(element.option_groups ?? []).map((group) => ({ label: label(group.label), options: entries(group.options) }))];
  const select = new Select({ groups: groups.filter((group) => group.options.length), value, none: optional ? "None" : null, placeholder: element.placeholder?.text, id, describedby,
    label: words, key, onchange });
  return { node: select.node, input: select.input, value: () => select.value(), restore: (chosen) => select.restore(chosen) };
}

function boxes(element, value, { id, describedby, label: words, onchange }) {
  const many = element.type === "checkboxes";
  const inputs = element.options.map((option) => {
    const input = el("input", { type: many ? "checkbox" : "radio", name: id, value: option.value, onchange });
    input.checked = many ? (value ?? []).includes(option.value) : option.value === value;
    const note = option.description ? el("span", { class: "note" }, label(option.description)) : null;
    return [input, el("label", {}, input, el("span", {}, label(option.text), note ? " " : "", note))];
  });
  const node = el("fieldset", { id, "aria-describedby": describedby, "aria-label": words }, ...inputs.map(([, whole]) => whole));
  const chosen = () => inputs.filter(([input]) => input.checked).map(([input]) => input.value);
  return { node, input: inputs.find(([input]) => input.checked && !many)?.[0] ?? inputs[0]?.[0], value: () => (many ? chosen() : chosen()[0] ?? null) };
}

function written(element, value, options) {
  const common = { ...attributes(options), placeholder: element.placeholder?.text };
  if (element.multiline || element.type === "rich_text_input") {
    const area = el("textarea", { ...common, rows: 4 });
    area.value = typeof value === "string" ? value : "";
    return { node: area, input: area, value: () => filled(element, area.value), restore: (words) => (area.value = words ?? "") };
  }
  const at = element.type === "datetimepicker";
  const input = el("input", { ...common, type: TYPES[element.type] ?? "text", autocomplete: "off",
    inputmode: element.type === "number_input" ? "decimal" : undefined });
  input.value = at && value ? new Date(value * 1000).toISOString().slice(0, 16) : value ?? "";
  return { node: input, input, value: () => (at && input.value ? Date.parse(`${input.value}Z`) / 1000 : input.value || null),
    restore: (words) => (input.value = words ?? "") };
}

function filled(element, words) {
  if (element.type !== "rich_text_input" || !words) return words || null;
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: words }] }] };
}
