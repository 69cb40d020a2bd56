// Booking for a customer by keyboard: search while typing, arrows through what was found, Enter takes the first, numbers
// choose the payment, Ctrl+Enter books. Without this file every button still does its work.

const form = () => document.getElementById("booking-form");
const rows = () => [...document.querySelectorAll("#found .caller")];
const known = () => rows().filter((row) => !row.matches(".caller-new"));
const TEXT = "input:not([type=radio], [type=checkbox]), select, textarea";
let listed = "";
let isAsked = false;

// Only one who is seen on the screen, or who is the only one, is taken by Enter.
function takeFirst(search) {
  if (search.value.trim() !== listed) isAsked = true;
  else rows()[0]?.click();
}

function step(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement) + by;
  if (at < 0) document.getElementById("booking-q").focus();
  else all[Math.min(at, all.length - 1)]?.focus();
}

function say() {
  const line = document.getElementById("booking-said");
  const name = known()[0]?.querySelector("b").textContent;
  if (line) line.textContent = name ? line.dataset.some.replace("{name}", name) : line.dataset.none;
}

function inList(event) {
  const search = document.getElementById("booking-q");
  const isInside = event.target === search || event.target.closest("#found");
  if (!search || !isInside) return;
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp" && event.target !== search) step(-1);
  else if (event.key === "Enter" && event.target === search && search.value.trim()) takeFirst(search);
  else return;
  event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || !form()) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form().querySelector('button[value="book"]')?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[1-4]$/.test(event.key) && !event.target.closest(TEXT)) {
    const way = form().querySelectorAll('input[name="pay"]')[Number(event.key) - 1];
    if (way && !way.checked) way.click();
    return;
  }
  inList(event);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "found") return;
  listed = event.detail.requestConfig.parameters.q?.trim() ?? "";
  say();
  if (isAsked && known().length === 1) known()[0].click();
  isAsked = false;
});
