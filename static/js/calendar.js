// Small comforts of the calendar. Without this module the page does the same with a few more presses.

const root = document.documentElement;
root.classList.add("is-scripted");

// Another day is shown as soon as it is chosen. While it is typed, only a whole date counts.
document.addEventListener("change", (event) => {
  const jump = event.target.closest(".day-jump");
  if (jump?.checkValidity()) jump.requestSubmit();
});

function prepare() {
  document.querySelectorAll("[data-print]").forEach((button) => (button.hidden = false));
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// The booking in the panel is marked in the grid. The focus goes into the panel, and back when it closes.
function mark() {
  const open = new URLSearchParams(location.search).get("b");
  document.querySelectorAll(".block[data-ref]").forEach((block) => {
    const isOpen = block.dataset.ref === open;
    block.classList.toggle("is-selected", isOpen);
    if (isOpen) block.setAttribute("aria-current", "true");
    else block.removeAttribute("aria-current");
  });
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "panel") return;
  const before = document.querySelector(".block.is-selected");
  mark();
  const panel = document.querySelector(".panel-in");
  if (!panel) {
    before?.focus();
    return;
  }
  panel.parentElement.scrollTop = 0;
  panel.focus({ preventScroll: true });
});

// A day is opened where it is: a little above now.
function scrollToNow() {
  const now = document.querySelector(".now-label");
  const grids = document.querySelector(".grids");
  if (now && grids && grids.scrollHeight > grids.clientHeight) {
    grids.scrollTop = Math.max(0, now.offsetTop - grids.clientHeight / 3);
  }
}

// Going back in the browser brings the whole page again.
document.addEventListener("htmx:historyRestore", prepare);

prepare();
scrollToNow();
