// Counts down the minute in which a move can be undone, and takes the button away when it is over. The clock is the
// server's: the notice carries the time it was written (data-now) and its end. Notices swapped in later are found.

const behind = new WeakMap();

function show(notice) {
  if (!behind.has(notice)) behind.set(notice, Number(notice.dataset.now) - Date.now());
  const seconds = Math.ceil((Number(notice.dataset.undoUntil) - Date.now() - behind.get(notice)) / 1000);
  const act = notice.querySelector(".undo-act");
  if (seconds <= 0) {
    if (act?.contains(document.activeElement)) notice.closest("[tabindex]")?.focus({ preventScroll: true });
    act?.remove();
    return;
  }
  const digits = String(seconds % 60).padStart(2, "0");
  notice.querySelector("[data-left]").textContent = `${Math.floor(seconds / 60)}:${digits}`;
}

function tick() {
  document.querySelectorAll("[data-undo-until]").forEach(show);
}

tick();
setInterval(tick, 500);
document.addEventListener("htmx:afterSettle", tick);
