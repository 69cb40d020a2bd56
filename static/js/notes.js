// Saves the note of a visit while it is typed. Without a connection the text stays in the page, and in this tab's own
// storage in case the page is closed, until it could be saved. The button saves without this script.
const form = document.querySelector("[data-notes]");
const PAUSE = 1200;
const RETRY = 5000;

if (form) {
  const text = form.elements.text;
  const version = form.elements.version;
  const saved = document.querySelector("[data-saved]");
  const key = `note:${form.action}`;
  let kept = text.value;
  let timer = 0;
  let isSaving = false;

  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  };

  const say = (words, failed) => {
    saved.textContent = words;
    saved.toggleAttribute("data-failed", failed);
  };

  async function save() {
    if (isSaving || text.value === kept) return;
    isSaving = true;
    const sent = text.value;
    const body = new FormData(form);
    body.set("autosave", "1");
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "error" });
      const words = await answer.json();
      if (answer.ok) {
        kept = sent;
        version.value = words.version;
        sessionStorage.removeItem(key);
        say(words.saved, false);
      } else {
        say(words.problem, true);
        if (answer.status !== 409) later(RETRY);
      }
    } catch {
      say(form.dataset.failed, true);
      later(RETRY);
    } finally {
      isSaving = false;
    }
    if (text.value !== kept && !saved.hasAttribute("data-failed")) later(PAUSE);
  }

  const before = sessionStorage.getItem(key);
  if (before !== null && before !== text.value) {
    text.value = before;
    later(0);
  }
  text.addEventListener("input", () => {
    sessionStorage.setItem(key, text.value);
    later(PAUSE);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    sessionStorage.removeItem(key);
  });
  window.addEventListener("online", () => later(0));
}
