// Drags a booking to another time or column. Letting go opens the page that says what the move costs and who is told;
// nothing changes before that page is confirmed. Without this file, and by keyboard, the panel's "Move" does the same.

const STEP_MINUTES = 5;
const SLACK_PX = 6; // less is a press
const HOLD_MS = 400; // on touch screens, where a short pull scrolls
const FIXED = ".is-started, .is-done, .is-missed";

let drag = null;

const movesUrl = () => document.getElementById("grids")?.dataset.moves;
const columnAt = (x, y) => document.elementFromPoint(x, y)?.closest(".column");

// How high a minute is drawn: the lane's classes say how many minutes it has.
function minuteHeight(lane) {
  const [, hours, minutes] = lane.className.match(/\bd(\d+) e(\d+)/);
  return lane.getBoundingClientRect().height / (Number(hours) * 60 + Number(minutes));
}

function days(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86400000);
}

function begin() {
  const { block } = drag;
  const box = block.getBoundingClientRect();
  const ghost = document.createElement("div");
  ghost.className = `${block.className} drag-ghost`;
  ghost.innerHTML = block.innerHTML;
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${box.width}px`;
  ghost.style.height = `${box.height}px`;
  document.body.append(ghost);
  block.classList.add("is-lifted");
  document.documentElement.setAttribute("data-dragging", "");
  Object.assign(drag, { ghost, isOn: true, grip: drag.y - box.top });
  follow(drag.x, drag.y);
}

// Only columns of people at the same place take a booking.
function target(x, y) {
  const column = columnAt(x, y);
  return column?.dataset.who && column.dataset.place === drag.column.dataset.place ? column : null;
}

function follow(x, y) {
  const column = target(x, y);
  drag.drop = null;
  drag.ghost.classList.toggle("is-nowhere", !column);
  if (!column) {
    drag.ghost.style.left = `${x - drag.ghost.offsetWidth / 2}px`;
    drag.ghost.style.top = `${y - drag.grip}px`;
    return;
  }
  const lane = column.querySelector(".lane");
  const box = lane.getBoundingClientRect();
  const own = drag.block.getBoundingClientRect().top - drag.lane.getBoundingClientRect().top;
  const height = minuteHeight(lane);
  const moved = (y - drag.grip - box.top - own) / height;
  const before = Number(drag.block.dataset.start);
  const start = Math.round((before + moved) / STEP_MINUTES) * STEP_MINUTES;
  drag.drop = { start: start + days(drag.column.dataset.on, column.dataset.on) * 1440, who: column.dataset.who };
  drag.isElsewhere = start !== before || column !== drag.column;
  drag.ghost.style.left = `${box.left + 4}px`;
  drag.ghost.style.top = `${box.top + own + (start - before) * height}px`;
  say(start - before);
}

// The clock on the ghost goes along where the page writes hours and minutes.
function say(minutes) {
  const time = drag.ghost.querySelector(".block-time");
  const clock = drag.block.querySelector(".block-time")?.firstChild?.textContent.match(/^(\d\d):(\d\d)$/);
  if (!time || !clock) return;
  const minute = (Number(clock[1]) * 60 + Number(clock[2]) + minutes + 1440) % 1440;
  time.firstChild.textContent = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

function end() {
  clearTimeout(drag?.timer);
  drag?.ghost?.remove();
  drag?.block.classList.remove("is-lifted");
  document.documentElement.removeAttribute("data-dragging");
  drag = null;
}

document.addEventListener("pointerdown", (event) => {
  const block = event.target.closest(".block[data-ref]");
  const column = block?.closest(".column");
  if (!movesUrl() || !column || !event.isPrimary || event.button !== 0 || block.matches(FIXED)) return;
  end();
  drag = { block, column, lane: column.querySelector(".lane"), x: event.clientX, y: event.clientY, isOn: false };
  drag.isTouch = event.pointerType === "touch";
  if (drag.isTouch) drag.timer = setTimeout(begin, HOLD_MS);
});

document.addEventListener("pointermove", (event) => {
  if (!drag || !event.isPrimary) return;
  if (drag.isOn) {
    follow(event.clientX, event.clientY);
    return;
  }
  if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < SLACK_PX) return;
  if (drag.isTouch) end();
  else begin();
});

document.addEventListener("pointerup", () => {
  if (!drag?.isOn) {
    end();
    return;
  }
  const { drop, isElsewhere, block } = drag;
  // The press that ends a drag is no press on the booking.
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 50);
  end();
  if (!drop || !isElsewhere) return;
  // Afterwards the calendar is shown again, with the booking beside it: its panel can undo the move.
  const back = new URL(location);
  back.searchParams.set("b", block.dataset.ref);
  const asked = new URLSearchParams({ ...drop, back: back.pathname + back.search });
  location.assign(`${movesUrl().replace("REF", block.dataset.ref)}?${asked}`);
});

document.addEventListener("pointercancel", end);
window.addEventListener("blur", end);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag?.isOn) return;
  event.stopPropagation();
  end();
}, true);
// The browser itself would drag the link, scroll, or open a menu.
document.addEventListener("dragstart", (event) => event.target.closest?.(".block[data-ref]") && event.preventDefault());
document.addEventListener("touchmove", (event) => drag?.isOn && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => drag?.isOn && event.preventDefault());
