// Asks for the state once a second, shows it, and sends what the member does. No rules of Slack live here.
import { makeRenderer } from "./blocks.js";
import { Clock } from "./clock.js";
import { Completer } from "./complete.js";
import { makeComposer } from "./composer.js";
import { $, el, keepFocus, keyed, plural } from "./dom.js";
import { askFirst, FormDialog } from "./forms.js";
import { paintIcons } from "./icons.js";
import { showInspector } from "./inspector.js";
import { makeMessages } from "./messages.js";
import { Sidebar } from "./sidebar.js";

let page = { names: {}, members: [], channels: [], places: [], messages: [], shortcuts: [], commands: {}, exchanges: [], version: -1 };
let me = sessionStorage.getItem("as");
let place = location.hash.slice(1) || sessionStorage.getItem("place");
let panel = null; // "inspector", or {thread: ts}
let readTo = null; // up to where the member had read when they came to this place
let asked = 0;

paintIcons();
const state = () => page;
const renderer = makeRenderer(state, act, askFirst($("ask")));
const messages = makeMessages(state, act, renderer, openThread);
const dialog = new FormDialog($("form"), act, (...args) => renderer.blocks(...args), () => (place === "home" ? $("messages") : $("text")));
const sidebar = new Sidebar(state, act, go, (member) => go(place, member));
const clock = new Clock(state, send, go, refresh);
const completer = new Completer($("text"), state);

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
  const inspect = panel === "inspector" ? "1" : "";
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
  page.now = next.now;
  clock.show(next);
}

function show() {
  keepFocus(() => {
    sidebar.show(place);
    showPlace();
    showPanel();
  });
  dialog.show(page.forms, page);
}

function showPlace() {
  const home = place === "home";
  const room = page.places?.find((entry) => entry.id === place);
  const name = home ? page.bot : room?.name ?? "";
  $("where").textContent = name;
  $("about").textContent = home || room?.dm ? "" : plural(room?.members ?? 0, "member");
  showTabs(home, home || room?.dm);
  $("write").hidden = home;
  $("text").placeholder = `Message ${name}, or / for commands`;
  const box = $("messages");
  const bottom = box.scrollHeight - box.scrollTop - box.clientHeight < 120;
  const last = page.messages.at(-1)?.ts;
  if (home) showHome(box);
  else messages.list(box, readTo);
  box.classList.toggle("home", home);
  const arrived = box.dataset.at !== `${me}/${place}`;
  const line = box.querySelector(".new-line");
  if (arrived) {
    if (home) box.scrollTop = 0;
    else if (line) line.scrollIntoView({ block: "center" });
    else box.scrollTop = box.scrollHeight;
  } else if (!home && (bottom || box.dataset.last !== last)) {
    box.scrollTop = box.scrollHeight;
    const newest = box.lastElementChild; // a long answer is read from its beginning
    if (newest && newest.offsetHeight > box.clientHeight) newest.scrollIntoView({ block: "start" });
  }
  box.dataset.at = `${me}/${place}`;
  box.dataset.last = last ?? "";
}

// The app's own two tabs, above its Home and its messages.
function showTabs(home, ofApp) {
  const dm = page.places?.find((entry) => entry.dm)?.id;
  const tabs = ofApp && dm ? [["home", "Home", home], [dm, "Messages", !home]] : [];
  keyed($("tabs"), tabs.map(([where, name, current]) => ({ key: name, print: `${where}${current}`, build: () => el("button", {
    type: "button", class: "tab", "data-key": `tab-${name}`, "aria-current": current ? "page" : null,
    onclick: async () => {
      await go(where);
      if (where !== "home") await act({ do: "messages" });
    } }, name) })));
}

function showHome(box) {
  const home = page.home;
  const blocks = home?.blocks ?? [{ type: "section", text: { type: "plain_text", text: "Nothing here yet." } }];
  keyed(box, blocks.map((block, at) => ({ key: `home-${at}`, print: JSON.stringify([block, home?.id]), build: () =>
    renderer.one(block, { view_id: home?.id }, home?.state?.values) })));
}

function showPanel() {
  const inspecting = panel === "inspector";
  const thread = panel?.thread;
  const replies = $("thread-messages");
  const atEnd = replies.scrollHeight - replies.scrollTop - replies.clientHeight < 40;
  if (thread && !messages.thread(replies, thread)) panel = null;
  $("side").hidden = !panel;
  $("inspector").hidden = !inspecting;
  $("thread").hidden = inspecting || !panel;
  $("side-title").textContent = inspecting ? "Requests and responses" : "Thread";
  $("inspect").setAttribute("aria-pressed", String(inspecting));
  if (inspecting) showInspector(page.exchanges, page.tz);
  if (thread && panel && atEnd) toNewest(replies);
}

// The newest reply in sight, from its top where it is taller than the panel; again once its pictures are there.
function toNewest(box) {
  const last = box.lastElementChild;
  const look = () => last?.scrollIntoView({ block: last.offsetHeight > box.clientHeight ? "start" : "end" });
  look();
  for (const picture of box.querySelectorAll("img")) if (!picture.complete) picture.addEventListener("load", look, { once: true });
}

async function go(where, as = me) {
  const leaving = where !== place || as !== me;
  const dm = page.places?.find((entry) => entry.id === where)?.dm;
  if (leaving) panel = panel === "inspector" ? panel : null;
  if (leaving) document.activeElement?.closest?.("#messages")?.focus();
  me = as;
  place = dm && as !== page.as ? `D${as.slice(1)}` : where;
  page.version = -1;
  readTo = null;
  if (leaving) readTo = await unreadFrom();
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
makeComposer($("reply"), async (text) => (await types(text, { thread_ts: panel?.thread })).ok);

function openThread(ts) {
  panel = { thread: ts };
  show();
  toNewest($("thread-messages"));
  $("reply-text").focus({ preventScroll: true });
}

function openPanel(next) {
  panel = next;
  page.version = -1;
  return refresh();
}

$("inspect").addEventListener("click", () => {
  sidebar.toggle(false);
  openPanel(panel === "inspector" ? null : "inspector");
});
$("side-close").addEventListener("click", async () => {
  await openPanel(null);
  $("inspect").focus();
});
$("side").addEventListener("keydown", (event) => event.key === "Escape" && $("side-close").click());
document.addEventListener("visibilitychange", () => (page.version = -1));
window.addEventListener("hashchange", () => location.hash.slice(1) !== place && go(location.hash.slice(1)));

// What came in last stays in sight when a strip or the keyboard of a phone takes room away.
let height = 0;
new ResizeObserver(() => {
  const box = $("messages");
  const lost = height - box.clientHeight;
  if (lost > 0 && place !== "home" && box.scrollHeight - box.scrollTop - box.clientHeight <= lost + 60) box.scrollTop = box.scrollHeight;
  height = box.clientHeight;
}).observe($("messages"));

async function poll() {
  try {
    await refresh();
    document.body.classList.remove("gone");
  } catch (error) {
    document.body.classList.add("gone");
    say(`Can't reach the workspace: ${error.message}`);
  }
  setTimeout(poll, 1000);
}

poll();
