// The place one is in: its name, its tabs, its messages or the Home, and what of it is in sight.
import { $, el, keyed, plural } from "./dom.js";
import { End } from "./end.js";

const END_PX = 120;
const NARROW = matchMedia("(max-width: 48rem)");

export class PlaceView {
  // `renderer` and `messages` draw blocks and messages; `go` and `act` are the page's own
  constructor(page, act, go, renderer, messages, openThread) {
    Object.assign(this, { page, act, go, renderer, messages, openThread, aim: null });
    // What came in last stays in sight when a strip, the keyboard of a phone or another width changes the room for it.
    this.end = new End($("messages"), () => !$("messages").classList.contains("home"));
    NARROW.addEventListener("change", () => this.hint());
  }

  // What to write in the box; on a phone there is room for less.
  hint() {
    $("text").placeholder = `Message ${$("where").textContent}${NARROW.matches ? "" : ", or / for commands"}`;
  }

  show(place, readTo) {
    const page = this.page();
    const home = place === "home";
    const room = page.places?.find((entry) => entry.id === place);
    const name = home ? page.bot : room?.name ?? "";
    $("where").textContent = name;
    $("about").textContent = home || room?.dm ? "" : plural(room?.members ?? 0, "member");
    this.tabs(home, home || room?.dm);
    $("write").hidden = home;
    this.hint();
    const box = $("messages");
    const before = { at: box.dataset.at, last: box.dataset.last, end: box.scrollHeight - box.scrollTop - box.clientHeight < END_PX };
    if (home) this.home(box);
    else this.messages.list(box, readTo);
    box.classList.toggle("home", home);
    box.dataset.at = `${page.as}/${place}`;
    box.dataset.last = page.messages.at(-1)?.ts ?? "";
    this.scroll(box, home, before);
    this.end.note();
  }

  scroll(box, home, before) {
    if (this.aimed(box)) return;
    const line = box.querySelector(".new-line");
    if (before.at !== box.dataset.at) {
      if (home) box.scrollTop = 0;
      else if (line) line.scrollIntoView({ block: "center" });
      else box.scrollTop = box.scrollHeight;
    } else if (!home && (before.end || before.last !== box.dataset.last)) {
      box.scrollTop = box.scrollHeight;
      const newest = box.lastElementChild; // a long answer is read from its beginning
      if (newest && newest.offsetHeight > box.clientHeight) newest.scrollIntoView({ block: "start" });
    }
  }

  // A message somebody was led to is in sight and marked; one in a thread opens it.
  aimed(box) {
    const ts = this.aim;
    this.aim = null;
    if (!ts) return false;
    const message = box.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
    const head = this.page().messages.find((shown) => shown.ts === ts)?.thread_ts;
    for (const old of box.querySelectorAll(".aimed")) old.classList.remove("aimed");
    if (!message && head) this.openThread(head);
    const shown = message ?? box.querySelector(`[data-ts="${CSS.escape(head ?? "")}"]`);
    shown?.scrollIntoView({ block: shown.offsetHeight > box.clientHeight ? "start" : "center" });
    message?.classList.add("aimed");
    return Boolean(shown);
  }

  // The app's own two tabs, above its Home and its messages.
  tabs(home, ofApp) {
    const dm = this.page().places?.find((entry) => entry.dm)?.id;
    const tabs = ofApp && dm ? [["home", "Home", home], [dm, "Messages", !home]] : [];
    keyed($("tabs"), tabs.map(([where, name, current]) => ({ key: name, print: `${where}${current}`, build: () => el("button", {
      type: "button", class: "tab", "data-key": `tab-${name}`, "aria-current": current ? "page" : null,
      onclick: async () => {
        await this.go(where);
        if (where !== "home") await this.act({ do: "messages" });
      } }, name) })));
  }

  home(box) {
    const { home } = this.page();
    const blocks = home?.blocks ?? [{ type: "section", text: { type: "plain_text", text: "Nothing here yet." } }];
    keyed(box, blocks.map((block, at) => ({ key: `home-${at}`, print: JSON.stringify([block, home?.id]), build: () =>
      this.renderer.one(block, { view_id: home?.id }, home?.state?.values) })));
  }
}
