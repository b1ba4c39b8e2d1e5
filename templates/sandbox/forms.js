// The dialogs: a form of the app, with the forms it was opened from below it, and the question before a button acts.
import { el, focusMark, restoreFocus } from "./dom.js";
import { icon } from "./icons.js";
import { control } from "./inputs.js";
import { label, text } from "./mrkdwn.js";

export class FormDialog {
  constructor(dialog, act, renderBlocks, elsewhere) {
    Object.assign(this, { dialog, act, renderBlocks, elsewhere, shown: null, opener: null, controls: new Map() });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.leave();
    });
  }

  show(forms, page) {
    const view = forms?.at(-1);
    if (!view) {
      this.close();
      return;
    }
    const key = `${view.id}/${view.hash}`;
    if (this.shown?.key === key) return;
    const same = this.shown?.id === view.id;
    const mark = same ? focusMark() : null;
    this.build(view, page, same ? this.values() : {}, forms.length);
    this.shown = { key, id: view.id };
    this.dialog.dataset.view = key;
    if (!this.dialog.open) {
      this.opener = focusMark();
      this.dialog.showModal();
    }
    if (mark) restoreFocus(mark, null);
    else this.first()?.focus();
  }

  // The focus goes back to what opened the form, else to its message, else to the composer.
  close() {
    this.shown = null;
    if (!this.dialog.open) return;
    this.dialog.close();
    restoreFocus(this.opener ?? { node: document.body }, this.elsewhere());
    this.opener = null;
  }

  leave() {
    return this.act({ do: "close", view_id: this.shown?.id });
  }

  first() {
    const field = this.controls.values().next().value;
    return field?.control.input ?? this.dialog.querySelector("footer button");
  }

  values() {
    return Object.fromEntries([...this.controls].map(([block, { control: input }]) => [block, input.value()]));
  }

  build(view, page, typed, depth) {
    this.controls = new Map();
    const body = view.blocks.map((block) =>
      block.type === "input" ? this.field(view, block, page, typed) : this.renderBlocks([block], { view_id: view.id }, view.state.values));
    this.failed = el("p", { class: "error", role: "alert" });
    this.send = view.submit ? el("button", { type: "submit", class: "primary", "data-key": "form-submit" }, label(view.submit)) : null;
    const leave = (key, words, name) => el("button", { type: "button", class: name, "aria-label": words, "data-key": key, onclick: () => this.leave() });
    const cross = leave("form-cross", depth > 1 ? "Back" : "Close the form", "quiet");
    cross.append(icon(depth > 1 ? "back" : "close"));
    const close = leave("form-close", null, "");
    close.append(view.close ? label(view.close) : "Close");
    this.dialog.replaceChildren(el("form", { novalidate: true, onsubmit: (event) => this.submit(event, view) },
      el("header", {}, el("h2", { id: "form-title" }, label(view.title)), cross),
      el("div", { class: "fields-of-form" }, ...body), el("footer", {}, this.failed, close, this.send)));
  }

  field(view, block, page, typed) {
    const id = `field-${block.block_id}`;
    const state = view.state.values[block.block_id]?.[block.element.action_id];
    const onchange = block.dispatch_action
      ? () => this.act({ do: "fill", view_id: view.id, values: { [block.block_id]: input.value() } })
      : undefined;
    const input = control(block.element, state, page, { id, describedby: `${id}-hint ${id}-error`, key: id, optional: block.optional, onchange });
    if (typed[block.block_id] !== undefined) input.restore?.(typed[block.block_id]);
    const error = el("p", { class: "error", id: `${id}-error` });
    this.controls.set(block.block_id, { control: input, error });
    const optional = block.optional ? el("span", { class: "note" }, " (optional)") : "";
    const group = input.node.tagName === "FIELDSET";
    if (group) input.node.prepend(el("legend", {}, label(block.label), optional));
    const caption = group ? null : el("label", { for: id }, label(block.label), optional);
    const hint = el("div", { class: "hint", id: `${id}-hint` }, block.hint ? text(block.hint, { names: page.names, now: page.now, zone: page.tz ?? "UTC" }) : null);
    return el("div", { class: "field" }, caption, input.node, hint, error);
  }

  async submit(event, view) {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    this.dialog.setAttribute("aria-busy", "true");
    const words = this.send?.textContent;
    if (this.send) this.send.textContent = "Sending…";
    const shown = this.shown;
    const answer = await this.act({ do: "submit", view_id: view.id, values: this.values() });
    this.busy = false;
    this.dialog.removeAttribute("aria-busy");
    if (this.shown === shown && this.send) this.send.textContent = words; // a rebuilt form has its own words
    if (this.shown?.id === view.id) this.refuse(answer);
  }

  refuse(answer) {
    const errors = answer.errors ?? {};
    for (const [block, { control: input, error }] of this.controls) {
      error.textContent = errors[block] ?? "";
      if (errors[block]) input.input?.setAttribute("aria-invalid", "true");
      else input.input?.removeAttribute("aria-invalid");
    }
    this.failed.textContent = answer.failure ? `The app didn't respond: ${answer.failure}` : answer.problem ?? "";
    const first = Object.keys(errors)[0];
    if (first) this.controls.get(first)?.control.input?.focus();
  }
}

// What Block Kit asks before a button acts; resolves to whether it may.
export function askFirst(dialog) {
  return (asked, context) => new Promise((resolve) => {
    if (!asked) {
      resolve(true);
      return;
    }
    const answer = (yes) => () => {
      dialog.close();
      resolve(yes);
    };
    dialog.replaceChildren(el("form", { method: "dialog", onsubmit: (event) => event.preventDefault() },
      el("header", {}, el("h2", { id: "ask-title" }, label(asked.title))), el("div", { class: "fields-of-form" }, text(asked.text, context)),
      el("footer", {}, el("button", { type: "button", onclick: answer(false) }, label(asked.deny) || "No"),
        el("button", { type: "button", class: `primary ${asked.style ?? ""}`, onclick: answer(true) }, label(asked.confirm) || "Yes"))));
    dialog.oncancel = answer(false);
    dialog.showModal();
  });
}
