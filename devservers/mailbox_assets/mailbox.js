// Show new mails by themselves, and times as this machine's clock has them.
for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleString();
}
const list = document.querySelector("main[data-count]");
if (list) {
  setInterval(async () => {
    if (document.hidden) return;
    try {
      const mails = await (await fetch("/mails.json")).json();
      if (String(mails.length) !== list.dataset.count) location.reload();
    } catch {
      // The runner has stopped. The list stays as it is.
    }
  }, 2000);
}
