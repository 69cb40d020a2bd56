// Marks the heading in the rail whose services are being looked at, and keeps that chip in sight.

const links = new Map([...document.querySelectorAll(".rail-nav a")].map((link) => [link.hash.slice(1), link]));
const seen = new Map();

function mark() {
  const current = [...links.keys()].find((id) => seen.get(id));
  if (!current || links.get(current).hasAttribute("aria-current")) return;
  links.forEach((link, id) => (id === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  const chip = links.get(current);
  const row = chip.parentElement;
  row.scrollTo({ left: chip.offsetLeft - row.offsetLeft - 16, behavior: "auto" });
}

const watcher = new IntersectionObserver(
  (entries) => {
    entries.forEach((entry) => seen.set(entry.target.id, entry.isIntersecting));
    mark();
  },
  { rootMargin: "-20% 0px -70% 0px" },
);

links.forEach((_, id) => {
  const section = document.getElementById(id);
  if (section) watcher.observe(section);
});
