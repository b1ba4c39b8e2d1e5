// Keeps the end of a list in sight while its size changes, if it was.
const NEAR_PX = 60;

export class End {
  // `keeps` says whether the list is one that is read from its end
  constructor(box, keeps = () => true) {
    Object.assign(this, { box, keeps, reached: true, size: "" });
    box.addEventListener("scroll", () => this.measure() === this.size && this.note());
    new ResizeObserver(() => this.resized()).observe(box);
  }

  measure() {
    return `${this.box.clientWidth}x${this.box.clientHeight}`;
  }

  // To be called after the list has been filled and scrolled.
  note() {
    this.size = this.measure();
    this.reached = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight <= NEAR_PX;
  }

  resized() {
    if (this.reached && this.keeps()) this.box.scrollTop = this.box.scrollHeight;
    this.note();
  }
}
