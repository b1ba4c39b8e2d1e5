// Asks for the state once a second, shows it, and sends what the member does. No rules of Slack live here.
import { makeRenderer } from "./blocks.js";
import { Clock } from "./clock.js";
import { Completer } from "./complete.js";
import { makeComposer } from "./composer.js";
import { $, keepFocus } from "./dom.js";
import { askFirst, FormDialog } from "./forms.js";
import { Guide } from "./guide.js";
import { paintIcons } from "./icons.js";
import { makeMessages } from "./messages.js";
import { Panel } from "./panel.js";
import { PlaceView } from "./place.js";
import { Player } from "./player.js";
import { Search } from "./search.js";
import { Sidebar } from "./sidebar.js";

const EVERY_MS = { idle: 1000, playing: 300 };

let page = { names: {}, members: [], channels: [], places: [], messages: [], shortcuts: [], commands: {}, exchanges: [], version: -1 };
let me = sessionStorage.getItem("as");
let [place, aim] = location.hash.slice(1).split("/");
place ||= sessionStorage.getItem("place");
let readTo = null; // up to where the member had read when they came to this place
let asked = 0;

paintIcons();
const state = () => page;
const renderer = makeRenderer(state, act, askFirst($("ask")));
const messages = makeMessages(state, act, renderer, openThread);
const dialog = new FormDialog($("form"), act, (...args) => renderer.blocks(...args), () => (place === "home" ? $("messages") : $("text")));
const sidebar = new Sidebar(state, act, visit, (member) => visit(place, member));
const panel = new Panel(state, messages);
const view = new PlaceView(state, act, visit, renderer, messages, openThread);
const clock = new Clock(state, send, visit, refresh);
const player = new Player(state, send, go, refresh);
const completer = new Completer($("text"), state);
const guide = new Guide();
new Search(state, visit);
view.aim = aim;

async function send(path, body) {
  const response = await fetch(`/_sandbox/${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  return response.json();
}

async function act(deed) {
  say("");
  document.body.classList.add("busy");
  try {
    const answer = await send("act", { as: me, ...deed });
    if (!answer.ok && deed.do !== "submit" && deed.do !== "home") say(answer.problem);
    else if (answer.failure && deed.do !== "submit") say(`The app didn't respond: ${answer.failure}`);
    if (answer.ok) clock.acted();
    await refresh();
    return answer;
  } catch (error) {
    say(`Can't reach the workspace: ${error.message}`);
    return { ok: false, problem: "Can't reach the workspace." };
  } finally {
    document.body.classList.remove("busy");
  }
}

function say(sentence) {
  $("status").textContent = sentence ?? "";
}

async function refresh() {
  const mine = (asked += 1);
  const seen = document.visibilityState === "visible" ? "1" : "";
  const inspect = panel.inspecting ? "1" : "";
  const query = new URLSearchParams({ since: page.version, as: me ?? "", place: place ?? "", seen, inspect });
  const response = await fetch(`/_sandbox/state?${query}`);
  const next = await response.json();
  if (mine !== asked) return; // a later question was asked meanwhile; its answer counts
  if (next.changed) {
    page = next;
    if (me !== page.as || place !== page.place) readTo = null;
    me = page.as;
    place = page.place;
    sessionStorage.setItem("as", me ?? "");
    sessionStorage.setItem("place", place ?? "");
    show();
  }
  Object.assign(page, { now: next.now, playing: next.playing, paused: next.paused });
  clock.show(next);
  player.show(next);
}

function show() {
  keepFocus(() => {
    sidebar.show(place);
    view.show(place, readTo);
    panel.show();
  });
  dialog.show(page.forms, page);
  guide.show(page.guide);
}

// Somebody goes somewhere on their own; a play that led them stops doing so.
function visit(where, as, ts) {
  player.follow(false);
  return go(where ?? place, as, ts);
}

async function go(where, as = me, ts = null) {
  const leaving = where !== place || as !== me;
  const dm = page.places?.find((entry) => entry.id === where)?.dm;
  if (leaving) panel.leave();
  if (leaving) document.activeElement?.closest?.("#messages")?.focus();
  me = as;
  place = dm && as !== page.as ? `D${as.slice(1)}` : where;
  page.version = -1;
  asked += 1; // what was asked before, as somebody else or in another place, no longer counts
  readTo = null;
  if (leaving) readTo = await unreadFrom();
  view.aim = ts;
  history.replaceState(null, "", `#${place}`);
  sidebar.toggle(false);
  if (place === "home") await act({ do: "home" });
  else await refresh();
}

// Where the member had read to in the place they come to, asked before looking at it counts as reading.
async function unreadFrom() {
  const response = await fetch(`/_sandbox/state?${new URLSearchParams({ as: me ?? "", place: place ?? "" })}`);
  const room = (await response.json()).places?.find((entry) => entry.id === place);
  return room?.unread ? room.last_read : null;
}

function types(text, more = {}) {
  readTo = null;
  return act({ do: "type", text, channel: place, ...more });
}

makeComposer($("write"), async (text) => {
  completer.hide();
  const answer = await types(text);
  if (answer.ok) completer.remember(text);
  return answer.ok;
});
makeComposer($("reply"), async (text) => (await types(text, { thread_ts: panel.thread })).ok);

function openThread(ts) {
  panel.openThread(ts);
  if (!page.playing) $("reply-text").focus({ preventScroll: true });
}

function inspect(inspecting) {
  panel.inspect(inspecting);
  page.version = -1;
  return refresh();
}

$("inspect").addEventListener("click", () => {
  sidebar.toggle(false);
  inspect(!panel.inspecting);
});
$("side-close").addEventListener("click", async () => {
  await inspect(false);
  $("text").focus();
});
$("side").addEventListener("keydown", (event) => event.key === "Escape" && $("side-close").click());
document.addEventListener("visibilitychange", () => (page.version = -1));
window.addEventListener("hashchange", () => {
  const [where, ts] = location.hash.slice(1).split("/");
  if (where !== place || ts) visit(where, undefined, ts);
});

async function poll() {
  try {
    await refresh();
    document.body.classList.remove("gone");
  } catch (error) {
    document.body.classList.add("gone");
    say(`Can't reach the workspace: ${error.message}`);
  }
  setTimeout(poll, page.playing ? EVERY_MS.playing : EVERY_MS.idle);
}

await poll();
if (place === "home") await act({ do: "home" }); // the app is told that its Home was opened
