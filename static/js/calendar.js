// Small comforts of the calendar. Without this module the page does the same with a few more presses.

const root = document.documentElement;

// Another day is shown as soon as it is chosen. While it is typed, only a whole date counts.
document.addEventListener("change", (event) => {
  const jump = event.target.closest(".day-jump");
  if (jump?.checkValidity()) jump.requestSubmit();
});

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

let isQuiet = false; // the panel was read again, and nobody has asked for it

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "panel") return;
  if (isQuiet) {
    isQuiet = false;
    return;
  }
  // What the page said when it opened is about the booking before.
  document.querySelector("#main > .messages")?.remove();
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

// --- what changes elsewhere appears by itself --------------------------------------------------------------------------

const LOOK_MS = 4000;
const AGAIN_MS = 300000;
let tag = null;
let shownAt = Date.now();
let isLooking = false;

// The columns are read again in place: what is scrolled stays so, and so does the focus. The part that drags a block
// sets data-dragging on the page for as long as nothing may move under the hand.
async function refresh(isOwn) {
  // What nobody asked for does not keep the session alive.
  const headers = { "X-Background": "1" };
  const focused = document.activeElement?.closest?.(".grids a")?.getAttribute("href");
  await window.htmx.ajax("GET", location.pathname + location.search, { target: "#grids", swap: "innerHTML", headers });
  shownAt = Date.now();
  if (focused) document.querySelector(`.grids a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  const panel = document.querySelector(".panel-in");
  const isTyping = panel?.contains(document.activeElement) && document.activeElement !== panel;
  if (!panel || isTyping || isOwn) return;
  isQuiet = true;
  await window.htmx.ajax("GET", location.pathname + location.search, { target: "#panel", swap: "innerHTML", headers });
}

async function look(isOwn = false) {
  const grids = document.getElementById("grids");
  if (!grids?.dataset.changes || isLooking || document.hidden || root.hasAttribute("data-dragging")) return;
  isLooking = true;
  try {
    const headers = { "If-None-Match": tag ?? grids.dataset.state, "X-Background": "1" };
    const answer = await fetch(grids.dataset.changes, { headers, cache: "no-store", redirect: "error" });
    // The sign-in has ended: nobody reads on at a screen that was left.
    if (answer.status === 401) location.assign(answer.headers.get("X-Go-To"));
    if (answer.status === 200 || answer.status === 204) tag = answer.headers.get("ETag");
    // Free time gets shorter although nothing is booked.
    if (answer.status === 200 || Date.now() - shownAt > AGAIN_MS) await refresh(isOwn);
  } catch {
    // Without a connection, or signed out elsewhere, the page stays as it is; the next press says so.
  } finally {
    isLooking = false;
  }
}

setInterval(look, LOOK_MS);
document.addEventListener("visibilitychange", () => look());
// What was done in the panel is seen in the columns at once; the panel has its answer already.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.verb === "post") look(true);
});

// The line of now goes on between two looks; the columns have five minutes as their finest step.
function moveNow() {
  const passed = Math.floor((Date.now() - shownAt) / 60000);
  document.querySelectorAll(".now, .now-label").forEach((each) => {
    each.dataset.since ??= each.className.match(/h(\d+) m(\d+)/).slice(1).reduce((h, m) => Number(h) * 60 + Number(m));
    const minute = Math.round((Number(each.dataset.since) + passed) / 5) * 5;
    each.className = each.className.replace(/h\d+ m\d+/, `h${Math.floor(minute / 60)} m${minute % 60}`);
    each.dataset.text ??= each.textContent;
    const clock = each.dataset.text.match(/^(\d\d):(\d\d)$/);
    if (!clock) return;
    const now = (Number(clock[1]) * 60 + Number(clock[2]) + passed) % 1440;
    each.textContent = [Math.floor(now / 60), now % 60].map((part) => String(part).padStart(2, "0")).join(":");
  });
}

setInterval(moveNow, 60000);

// Going back in the browser brings the whole page again.

scrollToNow();
