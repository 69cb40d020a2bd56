// What changes elsewhere appears by itself in the walk-in queue: a person added at another screen, a booking that takes
// a time. Only the list is read again, so what is being typed stays.

const LOOK_MS = 5000;
const AGAIN_MS = 60000; // the expected times come nearer although nothing happens
const part = document.getElementById("queue");
let tag = null;
let shownAt = Date.now();
let isLooking = false;

async function refresh() {
  // What nobody asked for does not keep the session alive.
  const headers = { "X-Background": "1" };
  await window.htmx.ajax("GET", part.dataset.page, { target: "#queue", swap: "innerHTML", headers });
  shownAt = Date.now();
}

async function look() {
  // Nothing moves under the finger of someone who is about to press a button of the list.
  const isPressing = document.activeElement?.matches("#queue button");
  if (isLooking || document.hidden || isPressing) return;
  isLooking = true;
  try {
    const headers = { "If-None-Match": tag ?? part.dataset.state, "X-Background": "1" };
    const answer = await fetch(part.dataset.changes, { headers, cache: "no-store", redirect: "error" });
    // The sign-in has ended: nobody reads on at a screen that was left.
    if (answer.status === 401) location.assign(answer.headers.get("X-Go-To"));
    if (answer.status === 200 || answer.status === 204) tag = answer.headers.get("ETag");
    if (answer.status === 200 || Date.now() - shownAt > AGAIN_MS) await refresh();
  } catch {
    // Without a connection the page stays as it is; the next press says so.
  } finally {
    isLooking = false;
  }
}

setInterval(look, LOOK_MS);
document.addEventListener("visibilitychange", look);
