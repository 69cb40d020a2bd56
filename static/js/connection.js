// Says so when a tap that htmx sends does not arrive: the pressed thing shows at once that it was pressed, and a failure is
// told in words with a button that tries again. Without htmx the browser's own page does this.

const notice = document.getElementById("not-sent");
const words = notice?.querySelector("[data-words]");
let again = null;

function pressed(event) {
  const { elt, requestConfig } = event.detail;
  return requestConfig?.triggeringEvent?.submitter ?? elt;
}

function tell(event, kind) {
  const element = pressed(event);
  const isTime = element.matches("button.time");
  const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent.trim());
  const time = isTime ? texts.find(Boolean) : "";
  words.textContent = words.dataset[time ? `${kind}Time` : kind].replace("{time}", time);
  // A click, not requestSubmit: htmx learns from clicks which button sends the form.
  again = () => element.click();
  notice.hidden = false;
}

if (notice) {
  document.addEventListener("htmx:beforeRequest", (event) => {
    notice.hidden = true;
    pressed(event).setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => pressed(event).removeAttribute("aria-busy"));
  document.addEventListener("htmx:sendError", (event) => tell(event, "offline"));
  document.addEventListener("htmx:timeout", (event) => tell(event, "offline"));
  document.addEventListener("htmx:responseError", (event) => tell(event, "failed"));
  notice.querySelector("button").addEventListener("click", () => {
    notice.hidden = true;
    again?.();
  });
}
