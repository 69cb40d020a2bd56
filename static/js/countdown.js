// Counts a hold down: digits, bar, and a quiet sentence at five, two and one minute and at the end.
// The clock is the server's: each element carries the time it was written (data-now) and its end (data-expires-at).
// Elements that are swapped in later are found by themselves.

const clocks = new WeakMap();

function start(element) {
  const clock = { behind: Number(element.dataset.now) - Date.now(), minute: null };
  clocks.set(element, clock);
  return clock;
}

// 7:42, and 1:59:42 from an hour on.
function digits(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return hours ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}

function show(element) {
  const clock = clocks.get(element) ?? start(element);
  const seconds = Math.max(0, Math.ceil((Number(element.dataset.expiresAt) - Date.now() - clock.behind) / 1000));
  const word = element.querySelector("[data-word]");
  element.querySelector("[data-digits]").textContent = digits(seconds);
  element.querySelector("progress").value = seconds;
  element.classList.toggle("is-short", seconds < 60);
  if (seconds === 0) word.textContent = word.dataset.over;
  else if (seconds < 60) word.textContent = word.dataset.short;
  announce(element, clock, Math.ceil(seconds / 60));
}

function announce(element, clock, minute) {
  if (clock.minute !== null && minute < clock.minute) {
    const line = element.querySelector("[data-say]");
    const sentence = line.getAttribute(`data-say-${minute}`);
    if (sentence) line.textContent = sentence;
  }
  clock.minute = minute;
}

function tick() {
  document.querySelectorAll("[data-expires-at]").forEach(show);
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
