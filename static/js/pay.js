// Takes a payment, or a card to keep, with Stripe's Payment Element, and follows what the server knows about it.
// The browser decides nothing: it shows the state that it asks for, so that a reload, "Back" and a second tab all end alike.

const ASK_MS = 5000;
const ASK_WHILE_CHECKING_MS = 2000;
const NUDGE_MS = 6000;
const SCRIPT_MS = 15000;
// Stripe's codes that have a sentence of their own on the page; all others share one.
const WORDS = {
  card_declined: "declined",
  insufficient_funds: "funds",
  expired_card: "expired",
  invalid_expiry_month: "expired",
  invalid_expiry_year: "expired",
  incorrect_cvc: "code",
  invalid_cvc: "code",
  payment_intent_authentication_failure: "proof",
  setup_intent_authentication_failure: "proof",
  authentication_required: "proof",
};

const root = document.getElementById("pay");
const form = document.getElementById("pay-form");
const problem = document.getElementById("pay-problem");
const checking = document.getElementById("pay-checking");
const help = document.getElementById("help-form");
const secret = document.querySelector("[name=csrfmiddlewaretoken]")?.value;

let stripe = null;
let elements = null;
// The browser has done its part, and since when by the server's clock; what Stripe was asked before says nothing about it.
let waiting = false;
let waitingSince = null;
let nudgedAt = 0;
let timer = null;
let leaving = false;

// --- what the server knows ------------------------------------------------------------------------------------------------

const known = () => document.getElementById("pay-state").dataset;

async function ask() {
  clearTimeout(timer);
  if (leaving) return;
  const isAfter = waiting;
  if (!document.hidden) {
    try {
      const answer = await fetch(root.dataset.state, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.ok) take(await answer.text(), isAfter);
      else if (answer.status === 404) leave(() => location.reload());
    } catch {
      // Out of reach for a moment; the next look tells.
    }
  }
  timer = setTimeout(ask, isChecking() ? ASK_WHILE_CHECKING_MS : ASK_MS);
}

function take(html, isAfter) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const before = known().shows;
  for (const id of ["pay-state", "help-thread"]) {
    const old = document.getElementById(id);
    const now = page.getElementById(id);
    if (old && now && old.outerHTML !== now.outerHTML) old.replaceWith(now);
  }
  const state = known();
  if (isAfter) waitingSince ??= Number(state.now);
  document.querySelectorAll("[data-until]").forEach((each) => (each.textContent = state.until));
  document.querySelectorAll("[data-expires-at]").forEach((each) => (each.dataset.expiresAt = state.expires));
  if (state.shows === "done") leave(() => location.replace(root.dataset.done));
  else if (state.shows !== before && state.shows !== "checking" && !(before === "checking" && state.shows === "ready" && form))
    leave(() => location.reload());
  else if (state.expects !== root.dataset.expects && state.shows === "ready") leave(() => location.reload());
  else show();
}

function isChecking() {
  return known().shows === "checking" || waiting;
}

function show() {
  const state = known();
  // Stripe was asked since and knows of no payment: what the browser took for done was not.
  if (waitingSince !== null && state.shows === "ready" && Number(state.looked) > waitingSince) {
    waiting = false;
    waitingSince = null;
    complain("other");
  }
  const busy = isChecking();
  checking.hidden = !busy;
  if (form) form.hidden = busy;
  if (busy) {
    problem.hidden = true;
    nudge();
  }
}

function nudge() {
  if (Date.now() - nudgedAt < NUDGE_MS) return;
  nudgedAt = Date.now();
  send(root.dataset.check, new FormData()).catch(() => {});
}

function wait() {
  waiting = true;
  waitingSince = null;
  nudgedAt = 0;
  show();
  ask();
}

function leave(how) {
  leaving = true;
  how();
}

function send(address, body) {
  return fetch(address, { method: "POST", body, headers: { "X-CSRFToken": secret, Accept: "application/json" } });
}

// --- paying ---------------------------------------------------------------------------------------------------------------

// Sends nothing, and keeps js/once.js from taking it for sent.
function hold(event) {
  event.preventDefault();
  event.stopPropagation();
}

function complain(word, sentence = "") {
  const words = document.querySelector(`[data-word-for="${word}"]`) ?? document.querySelector('[data-word-for="other"]');
  problem.querySelector("[data-title]").textContent = sentence || words.textContent;
  problem.querySelector("[data-tail]").hidden = Boolean(sentence);
  problem.hidden = false;
  problem.scrollIntoView({ block: "center" });
}

function working(is) {
  const button = form.querySelector("button");
  button.toggleAttribute("data-working", is);
  if (is) button.setAttribute("aria-disabled", "true");
  else button.removeAttribute("aria-disabled");
  button.querySelector("[data-label]").hidden = is;
  button.querySelector("[data-wait]").hidden = !is;
}

async function pay(event) {
  hold(event);
  if (!elements || form.querySelector("button").hasAttribute("data-working")) return;
  const box = form.querySelector("[name=agreed]");
  const missing = document.getElementById("agreed-error");
  if (box) {
    missing.hidden = box.checked;
    box.setAttribute("aria-invalid", String(!box.checked));
    if (!box.checked) return box.focus();
  }
  problem.hidden = true;
  working(true);
  try {
    await confirm();
  } catch {
    complain("unreachable");
  } finally {
    working(false);
  }
}

async function confirm() {
  const { error: unfinished } = await elements.submit();
  // Stripe has marked the field and said why.
  if (unfinished) return unfinished.type === "validation_error" ? undefined : complain(wordFor(unfinished));
  const answer = await send(root.dataset.start, new FormData(form));
  const started = await answer.json();
  if (started.is_settled) return wait();
  if (!started.secret) return complain("other", started.sentence);
  const call = started.kind === "card" ? "confirmSetup" : "confirmPayment";
  const { error } = await stripe[call]({
    elements,
    clientSecret: started.secret,
    confirmParams: { return_url: new URL(root.dataset.return, location.href).href },
    redirect: "if_required",
  });
  if (!error || ["succeeded", "processing"].includes((error.payment_intent ?? error.setup_intent)?.status)) return wait();
  if (error.type === "validation_error") return undefined;
  nudgedAt = 0;
  nudge();
  ask();
  return complain(wordFor(error));
}

function wordFor(error) {
  if (error.type === "api_connection_error") return "unreachable";
  return WORDS[error.decline_code] ?? WORDS[error.code] ?? "other";
}

// --- the form of Stripe ---------------------------------------------------------------------------------------------------

function loaded(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = failed;
    setTimeout(failed, SCRIPT_MS);
    document.head.append(script);
  });
}

function looks() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    theme: matchMedia("(prefers-color-scheme: dark)").matches ? "night" : "stripe",
    variables: {
      colorPrimary: token("brand-text"),
      colorBackground: token("surface"),
      colorText: token("ink"),
      colorTextSecondary: token("ink-2"),
      colorTextPlaceholder: token("ink-3"),
      colorDanger: token("bad"),
      borderRadius: token("r-button"),
      fontFamily: token("font"),
      fontSizeBase: "16px",
      spacingUnit: "4px",
    },
    rules: { ".Input": { border: `1px solid ${token("line-2")}`, boxShadow: "none", padding: "13px 14px" } },
  };
}

function options() {
  const wanted = root.dataset;
  const isCard = wanted.kind === "card";
  const chosen = { mode: isCard ? "setup" : "payment", currency: wanted.currency, appearance: looks() };
  if (!isCard) chosen.amount = Number(wanted.amount);
  if (isCard || wanted.savesCard) chosen.setupFutureUsage = "off_session";
  if (wanted.excluded) chosen.excludedPaymentMethodTypes = wanted.excluded.split(" ");
  return chosen;
}

async function draw() {
  try {
    if (!window.Stripe) await loaded(root.dataset.script);
    stripe = window.Stripe(root.dataset.key, { locale: document.documentElement.lang });
    elements = stripe.elements(options());
    const element = elements.create("payment", { layout: "tabs" });
    element.on("ready", () => form.removeAttribute("data-loading"));
    element.on("loaderror", () => unreachable());
    element.mount("#payment-element");
  } catch {
    unreachable();
  }
}

function unreachable() {
  elements = null;
  form.removeAttribute("data-loading");
  form.setAttribute("data-unreachable", "");
  complain("unreachable");
}

// --- a word with the front desk -------------------------------------------------------------------------------------------

async function write(event) {
  hold(event);
  const text = help.querySelector("textarea");
  const line = help.querySelector("[data-said]");
  if (!text.value.trim()) return text.focus();
  try {
    const answer = await send(help.action, new FormData(help));
    const said = await answer.json();
    line.textContent = said.sentence;
    if (answer.ok) text.value = "";
    ask();
  } catch {
    line.textContent = line.dataset.unsent;
  }
}

form?.addEventListener("submit", pay);
document.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
help?.addEventListener("submit", write);
document.addEventListener("visibilitychange", () => document.hidden || ask());
window.addEventListener("pageshow", (event) => event.persisted && ask());

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => elements?.update({ appearance: looks() }));

if (form) draw();
if (root.dataset.failed) complain("proof");
if (root.dataset.returned) wait();
else if (known().shows !== "over") ask();
