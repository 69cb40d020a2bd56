// The button that switches notifications on for this device. It appears only where they work, and the browser asks for
// permission only after it was pressed.

const box = document.querySelector("[data-push]");
const isSupported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

function bytes(base64) {
  const plain = atob(base64.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function say(state) {
  box.querySelectorAll("[data-push-state]").forEach((each) => (each.hidden = each.dataset.pushState !== state));
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return "refused";
  await navigator.serviceWorker.register("/sw.js");
  const worker = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: bytes(box.dataset.pushKey) };
  const subscription = await worker.pushManager.subscribe(options);
  const answer = await fetch(box.dataset.push, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": box.dataset.pushToken },
    body: JSON.stringify(subscription),
  });
  return answer.ok ? "on" : "failed";
}

async function start() {
  // Whoever has refused notifications is not asked again.
  if (Notification.permission === "denied") return;
  const registration = await navigator.serviceWorker.getRegistration("/");
  const known = Notification.permission === "granted" && (await registration?.pushManager?.getSubscription());
  say(known ? "on" : "off");
  box.hidden = false;
  box.querySelector("button").addEventListener("click", async (event) => {
    event.target.setAttribute("aria-disabled", "true");
    say(await subscribe().catch(() => "failed"));
    event.target.removeAttribute("aria-disabled");
  });
}

if (box && isSupported) start();
