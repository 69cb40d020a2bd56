// Leaves the page when the sign-in has ended, so that nobody reads on at a screen that was left. Asking is no activity;
// typing and pressing are, even on a page that sends nothing meanwhile.

// The admin loads it as a plain script, so nothing may be global.
(() => {
  const PAGE = "/desk/session";
  const IDLE = 1800;
  const EARLY = 120;

  let isActive = false;
  let timer = 0;

  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, () => (isActive = true), { capture: true, passive: true });
  }

  function later(seconds) {
    clearTimeout(timer);
    timer = setTimeout(check, seconds * 1000);
  }

  function ask() {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]")?.value;
    if (!isActive || !token) return fetch(PAGE, { headers: { "X-Background": "1" }, cache: "no-store" });
    isActive = false;
    return fetch(PAGE, { method: "POST", body: new URLSearchParams({ csrfmiddlewaretoken: token }) });
  }

  async function check() {
    try {
      const answer = await ask();
      if (answer.status === 401) {
        location.assign(answer.headers.get("X-Go-To"));
        return;
      }
      const { left } = await answer.json();
      later(left > EARLY ? left - EARLY / 2 : left + 2);
    } catch {
      // Without a connection nothing can be asked, and after the sign-in has ended a form is answered with its page.
      later(60);
    }
  }

  later(IDLE - EARLY);
  // Timers stand still while a computer sleeps.
  document.addEventListener("visibilitychange", () => document.hidden || check());
})();
