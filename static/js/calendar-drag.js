// Drags in the calendar: a booking to another time or column, its lower edge to another length, and over empty time to
// block it. Letting go opens the page that says what it means; nothing changes before that page is confirmed. Without
// this file, and by keyboard, "Move" and "Change length" in the panel and "Block time" at the head of a column do the
// same.

const STEP_MINUTES = 5;
const SLACK_PX = 6; // less is a press
const HOLD_MS = 400; // on touch screens, where a short pull scrolls
const EDGE_PX = 8; // of a block, which changes its length; for a finger twice as much
const FIXED = ".is-started, .is-done, .is-missed";

let drag = null;

const words = () => document.getElementById("grids")?.dataset ?? {};
const columnAt = (x, y) => document.elementFromPoint(x, y)?.closest(".column") ?? null;
const snapped = (minutes, round = Math.round) => round(minutes / STEP_MINUTES) * STEP_MINUTES;

// How many minutes a lane has, as its classes say, and how high one is drawn.
function minutesOf(lane) {
  const [, hours, minutes] = lane.className.match(/\bd(\d+) e(\d+)/);
  return Number(hours) * 60 + Number(minutes);
}

const minuteHeight = (lane) => lane.getBoundingClientRect().height / minutesOf(lane);

// On narrow screens a column is a list, in which a distance is no time.
const isTimeline = (lane) => getComputedStyle(lane).position === "relative";

function clock(minutes) {
  const minute = (minutes + 1440) % 1440; // also of the day before or after
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

function days(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86400000);
}

function ghostOf(className, inner, width, height) {
  const ghost = document.createElement("div");
  ghost.className = `${className} drag-ghost`;
  ghost.append(...inner);
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${width}px`;
  ghost.style.height = `${height}px`;
  document.body.append(ghost);
  return ghost;
}

// The address of this calendar, to come back to.
function here(name, value) {
  const url = new URL(location);
  url.searchParams.set(name, value);
  return url.pathname + url.search;
}

// --- a booking to another time or column -------------------------------------------------------------------------------

const moving = {
  grab(event) {
    const block = event.target.closest(".block[data-start]");
    if (!words().moves || !block || block.matches(FIXED)) return null;
    return { block };
  },

  begin() {
    const box = drag.block.getBoundingClientRect();
    const inner = [...drag.block.childNodes].map((node) => node.cloneNode(true));
    drag.ghost = ghostOf(drag.block.className, inner, box.width, box.height);
    drag.grip = drag.y - box.top;
    drag.block.classList.add("is-lifted");
  },

  // Only columns of people at the same place take a booking.
  follow(x, y) {
    const found = columnAt(x, y);
    const column = found?.dataset.who && found.dataset.place === drag.column.dataset.place ? found : null;
    drag.ghost.classList.toggle("is-nowhere", !column);
    if (!column) {
      drag.ghost.style.left = `${x - drag.ghost.offsetWidth / 2}px`;
      drag.ghost.style.top = `${y - drag.grip}px`;
      return null;
    }
    const lane = column.querySelector(".lane");
    const box = lane.getBoundingClientRect();
    const own = drag.block.getBoundingClientRect().top - drag.lane.getBoundingClientRect().top;
    const height = minuteHeight(lane);
    const before = Number(drag.block.dataset.start);
    const start = snapped(before + (y - drag.grip - box.top - own) / height);
    drag.ghost.style.left = `${box.left + 4}px`;
    drag.ghost.style.top = `${box.top + own + (start - before) * height}px`;
    this.say(start - before);
    if (start === before && column === drag.column) return null;
    const wanted = start + days(drag.column.dataset.on, column.dataset.on) * 1440;
    return { start: wanted, who: column.dataset.who };
  },

  // The clock on the ghost goes along where the page writes hours and minutes.
  say(minutes) {
    const time = drag.ghost.querySelector(".block-time");
    const found = drag.block.querySelector(".block-time")?.firstChild?.textContent.match(/^(\d\d):(\d\d)$/);
    if (time && found) time.firstChild.textContent = clock(Number(found[1]) * 60 + Number(found[2]) + minutes);
  },

  // Afterwards the calendar is shown again, with the booking beside it: its panel can undo the move.
  address(drop) {
    const ref = drag.block.dataset.ref;
    return `${words().moves.replace("REF", ref)}?${new URLSearchParams({ ...drop, back: here("b", ref) })}`;
  },
};

// --- a booking to another length ----------------------------------------------------------------------------------------

const stretching = {
  grab(event) {
    const block = event.target.closest(".block[data-whole]");
    if (!words().lengths || !block || block.matches(FIXED)) return null;
    const edge = event.pointerType === "touch" ? 2 * EDGE_PX : EDGE_PX;
    const box = block.getBoundingClientRect();
    return box.height > 2 * edge && event.clientY > box.bottom - edge ? { block } : null;
  },

  begin() {
    moving.begin();
    drag.box = drag.block.getBoundingClientRect();
    drag.ghost.classList.add("is-stretched");
  },

  follow(x, y) {
    const height = minuteHeight(drag.lane);
    const start = Number(drag.block.dataset.start);
    const before = Number(drag.block.dataset.minutes);
    const minutes = Math.max(STEP_MINUTES, snapped(start + before + (y - drag.y) / height) - start);
    const isHere = columnAt(x, y) !== null;
    drag.ghost.style.left = `${drag.box.left}px`;
    drag.ghost.style.top = `${drag.box.top}px`;
    drag.ghost.style.height = `${drag.box.height + (minutes - before) * height}px`;
    drag.ghost.classList.toggle("is-nowhere", !isHere);
    this.say(minutes);
    return isHere && minutes !== before ? { minutes } : null;
  },

  say(minutes) {
    const time = drag.ghost.querySelector(".block-time");
    const found = drag.block.querySelector(".block-time")?.firstChild?.textContent.match(/^(\d\d):(\d\d)$/);
    if (!time || !found) return;
    const start = Number(found[1]) * 60 + Number(found[2]);
    time.textContent = `${clock(start)}–${clock(start + minutes)} `;
  },

  address(drop) {
    const ref = drag.block.dataset.ref;
    return `${words().lengths.replace("REF", ref)}?${new URLSearchParams({ ...drop, back: here("b", ref) })}`;
  },
};

// --- empty time to be blocked -------------------------------------------------------------------------------------------

const blocking = {
  grab(event) {
    const column = event.target.closest(".lane") && event.target.closest(".column");
    return words().blocks && column?.dataset.resource && !event.target.closest(".block, .asked") ? {} : null;
  },

  begin() {
    const name = document.createElement("b");
    name.className = "block-name";
    name.textContent = words().blockWords;
    drag.time = document.createElement("span");
    drag.ghost = ghostOf("block is-off", [name, drag.time], drag.lane.getBoundingClientRect().width - 8, 0);
    drag.anchor = this.minuteAt(drag.y, Math.floor);
  },

  minuteAt(y, round) {
    const minutes = (y - drag.lane.getBoundingClientRect().top) / minuteHeight(drag.lane);
    return Math.min(minutesOf(drag.lane), Math.max(0, snapped(minutes, round)));
  },

  follow(x, y) {
    const isDown = y >= drag.y;
    const other = this.minuteAt(y, isDown ? Math.ceil : Math.floor);
    const from = isDown ? drag.anchor : other;
    const until = isDown ? Math.max(other, from + STEP_MINUTES) : drag.anchor + STEP_MINUTES;
    const box = drag.lane.getBoundingClientRect();
    const height = minuteHeight(drag.lane);
    drag.ghost.style.left = `${box.left + 4}px`;
    drag.ghost.style.top = `${box.top + from * height}px`;
    drag.ghost.style.height = `${(until - from) * height}px`;
    const { top, clock: first, resource } = drag.column.dataset;
    drag.time.textContent = `${clock(Number(first) + from)}–${clock(Number(first) + until)}`;
    const isHere = columnAt(x, y) === drag.column;
    drag.ghost.classList.toggle("is-nowhere", !isHere);
    return isHere ? { resource, start: Number(top) + from, end: Number(top) + until } : null;
  },

  address(drop) {
    return `${words().blocks}?${new URLSearchParams({ ...drop, back: here("on", drag.column.dataset.on) })}#block`;
  },
};

// --- what they share ----------------------------------------------------------------------------------------------------

const KINDS = [stretching, moving, blocking];

function begin() {
  drag.kind.begin();
  drag.isOn = true;
  document.documentElement.setAttribute("data-dragging", "");
  drag.drop = drag.kind.follow(drag.x, drag.y);
}

// The press that ends a drag is no press on the booking or the gap.
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 50);
}

function end() {
  clearTimeout(drag?.timer);
  drag?.ghost?.remove();
  drag?.block?.classList.remove("is-lifted");
  document.documentElement.removeAttribute("data-dragging");
  drag = null;
}

document.addEventListener("pointerdown", (event) => {
  const column = event.target.closest(".column");
  const lane = column?.querySelector(".lane");
  if (!lane || !event.isPrimary || event.button !== 0 || !isTimeline(lane)) return;
  end();
  for (const kind of KINDS) {
    const grabbed = kind.grab(event);
    if (!grabbed) continue;
    drag = { kind, column, lane, x: event.clientX, y: event.clientY, isOn: false, ...grabbed };
    drag.isTouch = event.pointerType === "touch";
    if (drag.isTouch) drag.timer = setTimeout(begin, HOLD_MS);
    return;
  }
});

document.addEventListener("pointermove", (event) => {
  if (!drag || !event.isPrimary) return;
  if (drag.isOn) {
    drag.drop = drag.kind.follow(event.clientX, event.clientY);
    return;
  }
  if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < SLACK_PX) return;
  if (drag.isTouch) end();
  else {
    begin();
    drag.drop = drag.kind.follow(event.clientX, event.clientY);
  }
});

document.addEventListener("pointerup", () => {
  if (!drag?.isOn) {
    end();
    return;
  }
  const address = drag.drop && drag.kind.address(drag.drop);
  swallowClick();
  end();
  if (address) location.assign(address);
});

document.addEventListener("pointercancel", end);
window.addEventListener("blur", end);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag?.isOn) return;
  event.stopPropagation();
  end();
  document.addEventListener("pointerup", swallowClick, { once: true });
}, true);
// The browser itself would drag the link, mark text, scroll, or open a menu.
document.addEventListener("dragstart", (event) => drag && event.preventDefault());
document.addEventListener("selectstart", (event) => drag?.isOn && event.preventDefault());
document.addEventListener("touchmove", (event) => drag?.isOn && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => drag?.isOn && event.preventDefault());
