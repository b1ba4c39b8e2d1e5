// Asks for the state once a second, shows it, and sends what the member does. No rules of Slack live here.
import { makeRenderer } from "./blocks.js";
import { FormDialog } from "./forms.js";
import { el } from "./mrkdwn.js";

const $ = (id) => document.getElementById(id);
let page = { names: {}, members: [], places: [], shortcuts: [], version: -1 };
let me = sessionStorage.getItem("as");
let place = location.hash.slice(1) || sessionStorage.getItem("place");
const openExchanges = new Set();

const renderer = makeRenderer(() => page, act);
const dialog = new FormDialog($("form"), act, renderer.blocks);

async function send(path, body) {
  const response = await fetch(`/_sandbox/${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  return response.json();
}

async function act(deed) {
  say("");
  try {
    const answer = await send("act", { as: me, ...deed });
    if (!answer.ok) say(answer.problem);
    else if (answer.failure && deed.do !== "submit") say(`The app didn't answer: ${answer.failure}`);
    await refresh();
    return answer;
  } catch (error) {
    say(`The workspace can't be reached: ${error.message}`);
    return { ok: false };
  }
}

function say(sentence) {
  $("status").textContent = sentence ?? "";
}

function moment(iso, zone, options) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(new Date(iso));
}

const FULL = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const SHORT = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

function showClock(now) {
  $("now").textContent = `${moment(now, "UTC", FULL)} UTC`;
  $("now").dateTime = now;
  $("local").textContent = page.tz ? `· ${moment(now, page.tz, SHORT)} in ${page.tz}` : "";
}

async function refresh() {
  const query = new URLSearchParams({ since: page.version, as: me ?? "", place: place ?? "" });
  const response = await fetch(`/_sandbox/state?${query}`);
  const state = await response.json();
  if (state.changed) {
    page = { ...state };
    me = page.as;
    place = page.place;
    sessionStorage.setItem("as", me ?? "");
    sessionStorage.setItem("place", place ?? "");
    show();
  }
  showClock(state.now);
}

function show() {
  const focused = document.activeElement?.dataset?.key;
  showPlaces();
  showMessages();
  showInspector();
  dialog.show(page.forms, page);
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function showPlaces() {
  const options = page.members.map((user) => el("option", { value: user.id }, `${user.shown} (@${user.name})`));
  $("as").replaceChildren(...options);
  $("as").value = me;
  const entries = [{ id: "home", name: "Home" }, ...(page.places ?? [])];
  $("places").replaceChildren(...entries.map((entry) => el("li", {}, el("button", {
    type: "button", "aria-current": entry.id === place ? "page" : null, "data-key": `place-${entry.id}`, onclick: () => go(entry.id),
  }, entry.name))));
  const global = page.shortcuts.filter((shortcut) => !shortcut.on_message);
  $("shortcuts").replaceChildren(...global.map((shortcut) => el("button", {
    type: "button", onclick: () => act({ do: "shortcut", callback_id: shortcut.callback_id }) }, shortcut.name)));
  $("commands").replaceChildren(...Object.entries(page.commands).map(([name, hint]) => el("option", { value: name }, hint)));
  $("where").textContent = entries.find((entry) => entry.id === place)?.name ?? "";
  $("write").hidden = place === "home";
}

function showMessages() {
  const box = $("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (place === "home") {
    const home = page.home;
    box.replaceChildren(home ? renderer.blocks(home.blocks, { view_id: home.id }, home.state.values) : el("p", {}, "The app has published no Home yet."));
    return;
  }
  box.replaceChildren(...page.messages.map((shown) => renderer.message(shown, (at) => moment(at, page.tz, SHORT))));
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function showInspector() {
  const entries = [...page.exchanges].reverse().map((exchange) => {
    const key = `${exchange.at}|${exchange.what}|${exchange.direction}`;
    const remember = (event) => (event.target.open ? openExchanges.add(key) : openExchanges.delete(key));
    return el("details", { open: openExchanges.has(key), ontoggle: remember },
      el("summary", {}, `${exchange.direction} ${exchange.what} ${exchange.status}`),
      el("pre", {}, JSON.stringify(exchange.request, null, 1)), el("pre", {}, JSON.stringify(exchange.answer, null, 1)));
  });
  $("exchanges").replaceChildren(...entries);
}

async function go(where) {
  place = where;
  page.version = -1;
  history.replaceState(null, "", `#${where}`);
  if (where === "home") await act({ do: "home" });
  await refresh();
}

$("as").addEventListener("change", () => {
  me = $("as").value;
  page.version = -1;
  if (place !== "home" && page.places?.find((entry) => entry.id === place)?.dm) place = "";
  refresh();
});

$("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  const answer = await act({ do: "type", text, channel: place });
  if (answer.ok) $("text").value = "";
});

for (const button of document.querySelectorAll("[data-move]")) {
  button.addEventListener("click", async () => {
    say("The clock is moving …");
    const answer = await send("clock", { move: button.dataset.move, as: me });
    say(answer.ok ? "" : answer.problem);
    await refresh();
  });
}

async function poll() {
  try {
    await refresh();
  } catch (error) {
    say(`The workspace can't be reached: ${error.message}`);
  }
  setTimeout(poll, 1000);
}

poll();
