// Shows in the frame what is being typed, a moment after the last key. Without a script the button "Show" does the same.

const PAUSE_MS = 500;
const form = document.querySelector("[data-preview]");
const button = form?.querySelector("[formtarget]");
let waiting;

form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => form.requestSubmit(button), PAUSE_MS);
});
