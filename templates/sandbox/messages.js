// The messages of a place: days, authors, what is new, threads.
import { el, keyed, moment, plural } from "./dom.js";
import { botFace, face, icon } from "./icons.js";
import { menuButton } from "./menu.js";
import { emoji } from "./mrkdwn.js";

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const FULL = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
const TOGETHER_MS = 5 * 60_000;

export function makeMessages(page, act, renderer, openThread) {
  const inThread = (shown) => shown.thread_ts && shown.thread_ts !== shown.ts;

  function author(shown) {
    if (shown.bot_id) return page().bot;
    if (shown.user === "USLACKBOT") return "Slackbot";
    return page().members.find((user) => user.id === shown.user)?.shown ?? shown.user;
  }

  // Whether a message continues the one before: same author, same minutes, seen by the same people.
  function continues(shown, before) {
    if (!before || before.user !== shown.user || Boolean(before.bot_id) !== Boolean(shown.bot_id)) return false;
    return Boolean(before.ephemeral) === Boolean(shown.ephemeral) && Date.parse(shown.at) - Date.parse(before.at) < TOGETHER_MS;
  }

  function offered(shown, where) {
    const shortcuts = shown.ephemeral ? [] : page().shortcuts.filter((shortcut) => shortcut.on_message);
    if (!shortcuts.length) return null;
    const items = shortcuts.map((shortcut) => ({ label: shortcut.name, act: () => act({ do: "shortcut", callback_id: shortcut.callback_id, ...where }) }));
    return menuButton(items, { label: "Shortcuts for this message", key: `menu-${shown.ts}`, className: "message-menu" });
  }

  function repliesButton(shown, replies) {
    if (!replies.length) return null;
    const last = moment(replies.at(-1).at, page().tz, FULL);
    return el("button", { type: "button", class: "replies", "data-key": `replies-${shown.ts}`, onclick: () => openThread(shown.ts) },
      el("strong", {}, plural(replies.length, "reply", "replies")), el("span", { class: "note" }, ` Last reply ${last}`));
  }

  function when(shown) {
    return el("time", { datetime: shown.at, title: moment(shown.at, page().tz, FULL) }, moment(shown.at, page().tz, TIME));
  }

  function heading(shown, who, marks) {
    return el("header", {}, el("strong", {}, who), shown.bot_id ? el("span", { class: "tag" }, "APP") : null, when(shown),
      marks.length ? el("span", { class: "note" }, `(${marks.join(", ")})`) : null);
  }

  function message(shown, replies, panel, follows) {
    const who = author(shown);
    const where = { channel: page().place, ts: shown.ts };
    const body = shown.blocks?.length ? renderer.blocks(shown.blocks, where) : renderer.plain(shown.text);
    const reactions = (shown.reactions ?? []).map((given) => el("span", { class: "reaction" }, `${emoji(given.name)} ${given.count}`));
    const marks = [shown.edited ? "edited" : "", inThread(shown) && !panel ? "in a thread" : ""].filter(Boolean);
    const picture = shown.bot_id ? botFace() : face(who, shown.user ?? "bot");
    return el("article", { class: ["message", shown.ephemeral ? "ephemeral" : "", follows ? "follows" : ""].join(" ").trim(), tabindex: "-1", "data-around": shown.ts,
      "data-ts": shown.ts, "aria-label": `${who}, ${moment(shown.at, page().tz, FULL)}` },
      follows ? el("span", { class: "gutter" }, when(shown)) : picture,
      el("div", { class: "content" },
        shown.ephemeral && !follows ? el("p", { class: "only-you" }, icon("eye"), "Only visible to you") : null,
        follows ? null : heading(shown, who, marks),
        body, ...(shown.files ?? []).map((file) => renderer.file(file)),
        follows && marks.length ? el("span", { class: "note" }, `(${marks.join(", ")})`) : null,
        reactions.length ? el("div", { class: "row" }, ...reactions) : null, repliesButton(shown, replies)),
      offered(shown, where));
  }

  function item(shown, replies, panel, before) {
    const follows = continues(shown, before);
    const today = moment(page().now, page().tz, DAY); // dates such as “tomorrow” change with it
    const print = JSON.stringify([shown, replies.length, replies.at(-1)?.ts, page().tz, page().shortcuts, follows, today]);
    return { key: shown.ts, print, build: () => message(shown, replies, panel, follows) };
  }

  // `after` is the `ts` up to which the member had read when they came here.
  function list(box, after) {
    const all = page().messages;
    const heads = new Set(all.filter((shown) => !inThread(shown)).map((shown) => shown.ts));
    const items = [];
    let day = "";
    let before = null;
    let marked = false;
    for (const shown of all) {
      if (inThread(shown) && heads.has(shown.thread_ts) && shown.subtype !== "thread_broadcast") continue;
      const today = moment(shown.at, page().tz, DAY);
      if (today !== day) {
        items.push({ key: `day-${today}`, print: today, build: () => el("div", { class: "day" }, el("span", {}, today)) });
        before = null;
      }
      day = today;
      if (!marked && after && shown.ts > after && shown.user !== page().as) {
        marked = true;
        before = null;
        items.push({ key: "new", print: "new", build: () => el("div", { class: "new-line" }, el("span", {}, "New")) });
      }
      items.push(item(shown, all.filter((other) => other.thread_ts === shown.ts && other.ts !== shown.ts), false, before));
      before = shown;
    }
    if (!items.length) items.push({ key: "none", print: page().place, build: () => empty() });
    keyed(box, items);
  }

  function empty() {
    const dm = page().places.find((entry) => entry.id === page().place)?.dm;
    return el("div", { class: "empty" }, el("h2", {}, "No messages yet"),
      el("p", {}, dm ? `Messages from ${page().bot} appear here.` : "Type / to see every command, or move the clock and see what arrives."));
  }

  function thread(box, ts) {
    const shown = page().messages.filter((one) => one.ts === ts || one.thread_ts === ts);
    keyed(box, shown.map((one, at) => item(one, [], true, at > 1 ? shown[at - 1] : null)));
    return shown.length > 0;
  }

  return { list, thread };
}
