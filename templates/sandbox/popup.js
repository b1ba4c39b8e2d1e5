// A list or menu next to what opened it: above everything else, dialogs too, and within the window.
const GAP = 4;
const EDGE = 8;

export class Popup {
  // `end` lines it up with the right edge of its anchor; `wide` makes it at least as wide.
  constructor(node, anchor, { end = false, wide = false } = {}) {
    Object.assign(this, { node, anchor, end, wide });
    node.popover = "manual";
    node.hidden = false;
    this.follow = () => (this.anchor.isConnected ? this.place() : this.hide());
  }

  get open() {
    return this.node.isConnected && this.node.matches(":popover-open");
  }

  show() {
    if (!this.open) {
      this.node.showPopover();
      addEventListener("scroll", this.follow, true);
      addEventListener("resize", this.follow);
    }
    this.place();
  }

  hide() {
    removeEventListener("scroll", this.follow, true);
    removeEventListener("resize", this.follow);
    if (this.open) this.node.hidePopover();
  }

  place() {
    const { style } = this.node;
    const at = this.anchor.getBoundingClientRect();
    if (this.wide) style.minWidth = `${at.width}px`;
    const { width, height } = this.node.getBoundingClientRect();
    const left = this.end ? at.right - width : at.left;
    const below = innerHeight - at.bottom - GAP - EDGE;
    style.left = `${Math.max(EDGE, Math.min(left, innerWidth - width - EDGE))}px`;
    style.top = height > below && at.top > below ? `${Math.max(EDGE, at.top - GAP - height)}px` : `${at.bottom + GAP}px`;
  }
}
