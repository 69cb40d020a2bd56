// Keeps an impatient second tap from sending the same form twice. The pressed button stays enabled for the browser, so that
// its name and value are sent and a page brought back by "Back" works again.

const LOCK_MS = 8000;
const sent = new WeakMap();

function free(form) {
  sent.delete(form);
  form.querySelectorAll("[aria-disabled]").forEach((button) => {
    sent.delete(button);
    button.removeAttribute("aria-disabled");
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post") || event.submitter?.hasAttribute("formtarget")) return;
  // An answer that is saved as a file leaves the page as it is: its other buttons may be pressed at once.
  const pressed = form.hasAttribute("data-saves-file") ? event.submitter ?? form : form;
  if (Date.now() - (sent.get(pressed) ?? -LOCK_MS) < LOCK_MS) {
    event.preventDefault();
    return;
  }
  sent.set(pressed, Date.now());
  event.submitter?.setAttribute("aria-disabled", "true");
  setTimeout(free, LOCK_MS, form);
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach(free);
});

// A form that htmx sent has its answer, or failed for good; either way it may be sent again.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt.closest("form");
  if (form) free(form);
});

// A menu closes when something else is pressed or Escape is hit.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});
