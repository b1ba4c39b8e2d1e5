// A box one writes in: it grows with its lines; Enter sends, Shift and Enter begin a new line.
export function makeComposer(form, send) {
  const input = form.querySelector("textarea");

  function fit() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 192)}px`;
  }

  input.addEventListener("input", fit);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    if (matchMedia("(hover: hover)").matches) input.focus(); // on a phone that would bring up the keyboard
    if (!(await send(text))) return;
    input.value = "";
    fit();
  });
}
