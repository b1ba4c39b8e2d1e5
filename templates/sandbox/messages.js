// The messages of a place: days, authors, what is new, threads.
import { avatar, el, keyed, moment, plural } from "./dom.js";
import { emoji } from "./mrkdwn.js";

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
const FULL = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

export function makeMessages(page, act, renderer, openThread) {
  const inThread = (shown) => shown.thread_ts && shown.thread_ts !== shown.ts;

  function author(shown) {
    if (shown.bot_id) return page().bot;
    if (shown.user === "USLACKBOT") return "Slackbot";
    return page().members.find((user) => user.id === shown.user)?.shown ?? shown.user;
  }

  function offered(shown, where) {
    const shortcuts = shown.ephemeral ? [] : page().shortcuts.filter((shortcut) => shortcut.on_message);
    if (!shortcuts.length) return null;
    const buttons = shortcuts.map((shortcut) => el("button", { type: "button", onclick: (event) => {
      event.currentTarget.closest("details").open = false;
      act({ do: "shortcut", callback_id: shortcut.callback_id, ...where });
    } }, shortcut.name));
    return el("details", { class: "overflow message-menu" },
      el("summary", { "aria-label": "Shortcuts for this message", "data-key": `menu-${shown.ts}` }, "⋯"), el("div", { class: "popup" }, ...buttons));
  }

  function repliesButton(shown, replies) {
    if (!replies.length) return null;
    const last = moment(replies.at(-1).at, page().tz, FULL);
    return el("button", { type: "button", class: "replies", "data-key": `replies-${shown.ts}`, onclick: () => openThread(shown.ts) },
      el("strong", {}, plural(replies.length, "reply", "replies")), el("span", { class: "note" }, ` last ${last}`));
  }

  function message(shown, replies, fresh) {
    const who = author(shown);
    const where = { channel: page().place, ts: shown.ts };
    const body = shown.blocks?.length ? renderer.blocks(shown.blocks, where) : renderer.plain(shown.text);
    const reactions = (shown.reactions ?? []).map((given) => el("span", { class: "reaction" }, `${emoji(given.name)} ${given.count}`));
    const marks = [shown.edited ? "edited" : "", inThread(shown) && fresh !== "thread" ? "reply in a thread" : ""].filter(Boolean);
    return el("article", { class: shown.ephemeral ? "message ephemeral" : "message", tabindex: "-1", "data-around": shown.ts, "data-ts": shown.ts,
      "aria-label": `${who}, ${moment(shown.at, page().tz, FULL)}` },
      avatar(who, shown.user ?? "bot", Boolean(shown.bot_id)),
      el("div", { class: "content" },
        shown.ephemeral ? el("p", { class: "only-you" }, "Only visible to you") : null,
        el("header", {}, el("strong", {}, who), shown.bot_id ? el("span", { class: "app-tag" }, "APP") : null,
          el("time", { datetime: shown.at }, moment(shown.at, page().tz, TIME)), marks.length ? el("span", { class: "note" }, marks.join(" · ")) : null),
        body, ...(shown.files ?? []).map((file) => renderer.file(file)),
        reactions.length ? el("div", { class: "row" }, ...reactions) : null, repliesButton(shown, replies)),
      offered(shown, where));
  }

  function item(shown, replies, fresh) {
    const print = JSON.stringify([shown, replies.length, replies.at(-1)?.ts, page().tz, page().shortcuts]);
    return { key: shown.ts, print, build: () => message(shown, replies, fresh) };
  }

  // `after` is the `ts` up to which the member had read when they came here.
  function list(box, after) {
    const all = page().messages;
    const heads = new Set(all.filter((shown) => !inThread(shown)).map((shown) => shown.ts));
    const items = [];
    let day = "";
    let marked = false;
    for (const shown of all) {
      if (inThread(shown) && heads.has(shown.thread_ts) && shown.subtype !== "thread_broadcast") continue;
      const today = moment(shown.at, page().tz, DAY);
      if (today !== day) items.push({ key: `day-${today}`, print: today, build: () => el("div", { class: "day" }, el("span", {}, today)) });
      day = today;
      if (!marked && after && shown.ts > after && shown.user !== page().as) {
        marked = true;
        items.push({ key: "new", print: "new", build: () => el("div", { class: "new-line" }, el("span", {}, "New")) });
      }
      items.push(item(shown, all.filter((other) => other.thread_ts === shown.ts && other.ts !== shown.ts)));
    }
    if (!items.length) items.push({ key: "none", print: page().place, build: () => empty() });
    keyed(box, items);
  }

  function empty() {
    const dm = page().places.find((entry) => entry.id === page().place)?.dm;
    return el("div", { class: "empty" }, el("h2", {}, dm ? `This is where ${page().bot} writes to you` : "Nothing was said here yet"),
      el("p", {}, "Type / below for everything that can be asked, or move the clock on and see what arrives."));
  }

  function thread(box, ts) {
    const shown = page().messages.filter((one) => one.ts === ts || one.thread_ts === ts);
    keyed(box, shown.map((one) => item(one, [], "thread")));
    return shown.length > 0;
  }

  return { list, thread };
}
