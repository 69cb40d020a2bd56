// Saves the note of a visit while it is typed. Without a connection the text stays in the page, and in this tab's own
// storage in case the page is closed, until it could be saved. It is stored with the version it was typed on, so that the
// server refuses it when somebody saved a newer note meanwhile. The button saves without this script.
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
  let isRefused = false;

  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  };

  const say = (words, failed) => {
    saved.textContent = words;
    saved.toggleAttribute("data-failed", failed);
  };

  const store = () => {
    sessionStorage.setItem(key, JSON.stringify({ text: text.value, version: version.value, user: form.dataset.user }));
  };

  // Returns what this user left unsaved in this tab. The text of somebody else is dropped.
  const restored = () => {
    try {
      const before = JSON.parse(sessionStorage.getItem(key));
      if (before?.user === form.dataset.user && before.text !== text.value) return before;
    } catch {
      // Not in the form which is stored here.
    }
    sessionStorage.removeItem(key);
    return null;
  };

  async function save() {
    if (isSaving || isRefused || text.value === kept) return;
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
        if (text.value === sent) sessionStorage.removeItem(key);
        else store();
        say(words.saved, false);
      } else {
        say(words.problem, true);
        isRefused = answer.status === 409;
        if (!isRefused) later(RETRY);
      }
    } catch {
      say(form.dataset.failed, true);
      later(RETRY);
    } finally {
      isSaving = false;
    }
    if (text.value !== kept && !saved.hasAttribute("data-failed")) later(PAUSE);
  }

  const before = restored();
  if (before) {
    text.value = before.text;
    version.value = before.version;
    later(0);
  }
  text.addEventListener("input", () => {
    store();
    later(PAUSE);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    sessionStorage.removeItem(key);
  });
  window.addEventListener("online", () => later(0));
}
