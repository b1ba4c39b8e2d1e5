// The panel at the side: a thread, or the requests between the workspace and the app.
import { $ } from "./dom.js";
import { End } from "./end.js";
import { showInspector } from "./inspector.js";

const END_PX = 40;

export class Panel {
  constructor(page, messages) {
    Object.assign(this, { page, messages, inspecting: false, thread: null });
    this.end = new End($("thread-messages"));
  }

  get open() {
    return this.inspecting || Boolean(this.thread);
  }

  show() {
    const replies = $("thread-messages");
    const atEnd = replies.scrollHeight - replies.scrollTop - replies.clientHeight < END_PX;
    if (this.thread && !this.messages.thread(replies, this.thread)) this.thread = null;
    $("side").hidden = !this.open;
    $("inspector").hidden = !this.inspecting;
    $("thread").hidden = this.inspecting || !this.thread;
    $("side-title").textContent = this.inspecting ? "Requests and responses" : "Thread";
    $("inspect").setAttribute("aria-pressed", String(this.inspecting));
    if (this.inspecting) showInspector(this.page().exchanges, this.page().tz);
    else if (this.thread && atEnd) toNewest(replies);
    this.end.note();
  }

  openThread(ts) {
    Object.assign(this, { inspecting: false, thread: ts });
    this.show();
    toNewest($("thread-messages"));
  }

  inspect(inspecting) {
    Object.assign(this, { inspecting, thread: null });
  }

  // Somewhere else: a thread stays behind, the inspector comes along.
  leave() {
    this.thread = null;
  }
}

// The newest reply in sight, from its top where it is taller than the panel; again once its pictures are there.
function toNewest(box) {
  const last = box.lastElementChild;
  const look = () => last?.scrollIntoView({ block: last.offsetHeight > box.clientHeight ? "start" : "end" });
  look();
  for (const picture of box.querySelectorAll("img")) if (!picture.complete) picture.addEventListener("load", look, { once: true });
}
