// A stand-in for Stripe's script in the browser, for machines that reach no Stripe: the same calls, a card form that
// says what it is, and answers from the stand-in this file came from. It draws without inline styles and without HTML
// strings, so that it works under a strict content security policy.
(() => {
  "use strict";

  const ORIGIN = new URL(document.currentScript.src).origin;
  const NEVER = () => new Promise(() => {});
  const HINTS = [
    ["4242 4242 4242 4242", "is paid"],
    ["4000 0000 0000 0002", "is declined"],
    ["4000 0000 0000 9995", "has insufficient funds"],
    ["4000 0025 0000 3155", "asks for 3-D Secure"],
  ];
  const DARK = { background: "#1c1d21", text: "#f4f4f6", muted: "#b4b6c0", border: "#565a66", danger: "#ff9a90" };
  const LIGHT = { background: "#ffffff", text: "#20222a", muted: "#585c69", border: "#8b8f9c", danger: "#b3261e" };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; color: var(--text); font: 1rem/1.5 var(--font); }
    * { box-sizing: border-box; }
    .form {
      display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; align-content: start; min-block-size: 18rem;
    }
    .field { display: grid; gap: 0.25rem; align-content: start; min-inline-size: 0; }
    .wide { grid-column: 1 / -1; }
    label { font-size: 0.875rem; }
    input {
      inline-size: 100%; min-block-size: 2.75rem; padding: 0.5rem 0.75rem; font: inherit; color: var(--text);
      background: var(--background); border: 1px solid var(--border); border-radius: var(--radius);
    }
    input:focus-visible, button:focus-visible { outline: 2px solid var(--primary); outline-offset: 2px; }
    input[aria-invalid="true"] { border-color: var(--danger); }
    .error { color: var(--danger); font-size: 0.875rem; margin: 0; }
    .error:empty { display: none; }
    .hints { color: var(--muted); font-size: 0.8125rem; margin: 0; }
    .hints p { margin: 0 0 0.25rem; }
    .hints ul { margin: 0; padding-inline-start: 1.25rem; }
    dialog {
      max-inline-size: min(26rem, calc(100vw - 2rem)); padding: 1.5rem; border: 1px solid var(--border);
      border-radius: var(--radius); color: var(--text); background: var(--background); font: 1rem/1.5 var(--font);
    }
    dialog::backdrop { background: rgb(0 0 0 / 50%); }
    h2 { font-size: 1.125rem; margin: 0 0 0.5rem; }
    .buttons { display: flex; gap: 0.75rem; flex-wrap: wrap; margin-block-start: 1rem; }
    button {
      min-block-size: 2.75rem; padding: 0.5rem 1rem; font: inherit; cursor: pointer; color: var(--text);
      background: var(--background); border: 1px solid var(--border); border-radius: var(--radius);
    }
  `);

  class IntegrationError extends Error {
    name = "IntegrationError";
  }

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function hostWith(appearance, ...children) {
    const host = make("div", { "data-stripe-stand-in": "" });
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(...children);
    dress(host, appearance);
    return host;
  }

  function dress(host, appearance = {}) {
    const wanted = appearance.variables ?? {};
    const base = appearance.theme === "night" ? DARK : LIGHT;
    const values = {
      primary: wanted.colorPrimary ?? "#635bff",
      background: wanted.colorBackground ?? base.background,
      text: wanted.colorText ?? base.text,
      muted: wanted.colorTextSecondary ?? base.muted,
      border: wanted.colorBorder ?? base.border,
      danger: wanted.colorDanger ?? base.danger,
      radius: wanted.borderRadius ?? "5px",
      font: wanted.fontFamily ?? "system-ui, sans-serif",
    };
    for (const [name, value] of Object.entries(values)) host.style.setProperty(`--${name}`, value);
  }

  // --- what is typed ---

  const digits = (text) => text.replace(/\D/g, "");

  function isCardNumber(number) {
    const sum = [...number].reverse().reduce((total, digit, place) => {
      const value = Number(digit) * (place % 2 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
    return sum % 10 === 0;
  }

  function problemOfNumber(text) {
    const number = digits(text);
    if (number.length < 15) return ["incomplete_number", "Your card number is incomplete."];
    return isCardNumber(number) ? null : ["invalid_number", "Your card number is invalid."];
  }

  function expiryOf(text) {
    const [, month = "", year = ""] = digits(text).match(/^(\d{0,2})(\d*)$/);
    return { month: Number(month), year: year.length === 2 ? 2000 + Number(year) : Number(year) };
  }

  function problemOfExpiry(text) {
    const { month, year } = expiryOf(text);
    if (digits(text).length < 4) return ["incomplete_expiry", "Your card's expiration date is incomplete."];
    const today = new Date();
    if (month < 1 || month > 12) return ["invalid_expiry_month", "Your card's expiration date is invalid."];
    const isPast = year * 12 + month < today.getFullYear() * 12 + today.getMonth() + 1;
    return isPast ? ["invalid_expiry_year_past", "Your card's expiration year is in the past."] : null;
  }

  function problemOfCvc(text) {
    return digits(text).length < 3 ? ["incomplete_cvc", "Your card's security code is incomplete."] : null;
  }

  const FIELDS = [
    { name: "number", label: "Card number", fill: "cc-number", hint: "1234 1234 1234 1234", most: 19, wide: true,
      problem: problemOfNumber, shape: (text) => digits(text).slice(0, 16).replace(/(\d{4})(?=\d)/g, "$1 ") },
    { name: "expiry", label: "Expiry", fill: "cc-exp", hint: "MM / YY", most: 7,
      problem: problemOfExpiry, shape: (text) => digits(text).slice(0, 4).replace(/^(\d{2})(?=\d)/, "$1 / ") },
    { name: "cvc", label: "CVC", fill: "cc-csc", hint: "123", most: 4,
      problem: problemOfCvc, shape: (text) => digits(text).slice(0, 4) },
  ];

  // --- the card form ---

  class PaymentElement {
    #listeners = {};
    #inputs = {};
    #errors = {};
    #host = null;

    constructor(elements) {
      this.elements = elements;
    }

    on(event, listener) {
      (this.#listeners[event] ??= []).push(listener);
      return this;
    }

    off(event, listener) {
      this.#listeners[event] = (this.#listeners[event] ?? []).filter((each) => listener && each !== listener);
      return this;
    }

    once(event, listener) {
      const first = (detail) => (this.off(event, first), listener(detail));
      return this.on(event, first);
    }

    mount(target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!place) throw new IntegrationError(`There is no element ${target} to mount to.`);
      this.#host ??= this.#draw();
      place.replaceChildren(this.#host);
      setTimeout(() => this.#tell("ready"));
    }

    unmount() {
      this.#host?.remove();
    }

    destroy() {
      this.unmount();
      this.#host = null;
      this.#listeners = {};
      this.elements.forget(this);
    }

    focus() {
      this.#inputs.number?.focus();
    }

    blur() {
      this.#host?.shadowRoot.activeElement?.blur();
    }

    clear() {
      for (const input of Object.values(this.#inputs)) input.value = "";
    }

    collapse() {}

    update() {}

    dressAs(appearance) {
      if (this.#host) dress(this.#host, appearance);
    }

    // The first problem, shown at its field; null when all is well.
    check() {
      let first = null;
      for (const field of FIELDS) {
        const problem = this.#showProblem(field);
        if (problem && !first) {
          first = { type: "validation_error", code: problem[0], message: problem[1] };
          this.#inputs[field.name].focus();
        }
      }
      return first;
    }

    card() {
      const { month, year } = expiryOf(this.#inputs.expiry.value);
      const number = digits(this.#inputs.number.value);
      return { number, exp_month: month, exp_year: year, cvc: digits(this.#inputs.cvc.value) };
    }

    #draw() {
      const hints = make("ul", {}, ...HINTS.map(([number, what]) => make("li", {}, `${number} ${what}`)));
      const note = make(
        "div",
        { class: "hints wide" },
        make("p", {}, "This is a stand-in for Stripe: no money moves. Any later date and any CVC will do."),
        hints,
      );
      const form = make("div", { class: "form", role: "group", "aria-label": "Card" });
      form.append(...FIELDS.map((field) => this.#drawField(field)), note);
      return hostWith(this.elements.options.appearance, form);
    }

    #drawField(field) {
      const error = make("p", { class: "error", id: `${field.name}-error`, role: "alert" });
      const input = make("input", {
        id: field.name, name: field.name, type: "text", inputmode: "numeric", autocomplete: field.fill,
        placeholder: field.hint, maxlength: field.most, "aria-describedby": error.id, "aria-required": "true",
      });
      input.addEventListener("input", () => {
        const isAtEnd = input.selectionEnd === input.value.length;
        if (isAtEnd) input.value = field.shape(input.value);
        this.#setProblem(field, null);
        this.#tellChange();
      });
      input.addEventListener("blur", () => input.value && this.#showProblem(field));
      input.addEventListener("focus", () => this.#tell("focus"));
      this.#inputs[field.name] = input;
      this.#errors[field.name] = error;
      const label = make("label", { for: field.name }, field.label);
      return make("div", { class: field.wide ? "field wide" : "field" }, label, input, error);
    }

    #showProblem(field) {
      const problem = field.problem(this.#inputs[field.name].value);
      this.#setProblem(field, problem);
      return problem;
    }

    #setProblem(field, problem) {
      this.#inputs[field.name].setAttribute("aria-invalid", String(Boolean(problem)));
      this.#errors[field.name].textContent = problem ? problem[1] : "";
    }

    #tellChange() {
      const complete = FIELDS.every((field) => !field.problem(this.#inputs[field.name].value));
      const empty = FIELDS.every((field) => !this.#inputs[field.name].value);
      this.#tell("change", { complete, empty, collapsed: false, value: { type: "card" } });
    }

    #tell(event, detail = {}) {
      for (const listener of this.#listeners[event] ?? []) listener({ elementType: "payment", ...detail });
    }
  }

  class Elements {
    #payment = null;
    #isChecked = false;

    constructor(options) {
      const { clientSecret, mode, amount, currency } = options;
      if (Boolean(clientSecret) === Boolean(mode)) {
        throw new IntegrationError("elements() takes either a clientSecret or a mode.");
      }
      if (mode && !["payment", "setup", "subscription"].includes(mode)) {
        throw new IntegrationError(`elements() knows no mode ${mode}.`);
      }
      if (mode === "payment" && !(Number.isInteger(amount) && amount > 0)) {
        throw new IntegrationError("elements() takes a positive whole number as amount.");
      }
      if (mode && !/^[a-z]{3}$/.test(currency ?? (mode === "setup" ? "usd" : ""))) {
        throw new IntegrationError("elements() takes a currency in lower case.");
      }
      this.options = { ...options };
    }

    create(type) {
      if (type !== "payment") throw new IntegrationError(`This stand-in has no element ${type}.`);
      if (this.#payment) throw new IntegrationError("Can only create one Element of type payment.");
      this.#payment = new PaymentElement(this);
      return this.#payment;
    }

    getElement(type) {
      return type === "payment" ? this.#payment : null;
    }

    forget() {
      this.#payment = null;
    }

    update(options) {
      this.options = { ...this.options, ...options };
      if (options.appearance) this.#payment?.dressAs(options.appearance);
    }

    async fetchUpdates() {
      return {};
    }

    async submit() {
      if (!this.#payment) throw new IntegrationError("There is no payment element.");
      const error = this.#payment.check();
      this.#isChecked = !error;
      return error ? { error } : { selectedPaymentMethod: "card" };
    }

    // The payment method as typed, or {error}. With a mode, Stripe wants submit() to be called first.
    typed() {
      if (!this.#payment) throw new IntegrationError("There is no payment element.");
      if (this.options.mode && !this.#isChecked) {
        throw new IntegrationError("elements.submit() must be called before the payment is confirmed.");
      }
      const error = this.#payment.check();
      return error ? { error } : { data: { type: "card", card: this.#payment.card() } };
    }

    // What differs between what the form was made for and the intent, in words; "" when nothing does.
    difference(intent) {
      const { mode, amount, currency, setupFutureUsage } = this.options;
      if (!mode) return "";
      if ((mode === "setup") !== (intent.object === "setup_intent")) return "mode";
      if (mode === "setup") return "";
      if (amount !== intent.amount) return "amount";
      if (currency !== intent.currency) return "currency";
      return (setupFutureUsage ?? null) === (intent.setup_future_usage ?? null) ? "" : "setupFutureUsage";
    }
  }

  // --- asking the stand-in ---

  function flat(value, name = "", into = new URLSearchParams()) {
    if (value === undefined || value === null) return into;
    if (typeof value !== "object") {
      into.append(name, String(value));
      return into;
    }
    for (const [key, each] of Object.entries(value)) flat(each, name ? `${name}[${key}]` : key, into);
    return into;
  }

  function unreachable() {
    return { error: { type: "api_connection_error", message: "We could not reach the payment service. Try again." } };
  }

  function pathOf(secret) {
    const [, id] = /^((?:pi|seti)_\w+?)_secret_/.exec(secret ?? "") ?? [];
    if (!id) throw new IntegrationError("That is no client secret.");
    return `/v1/${id.startsWith("pi_") ? "payment" : "setup"}_intents/${id}`;
  }

  class StripeStandIn {
    #key;

    constructor(key) {
      if (!/^pk_/.test(key ?? "")) throw new IntegrationError("Stripe() takes a publishable key.");
      this.#key = key;
    }

    elements(options = {}) {
      return new Elements(options);
    }

    confirmPayment(given) {
      return this.#confirm("payment", given);
    }

    confirmSetup(given) {
      return this.#confirm("setup", given);
    }

    async retrievePaymentIntent(clientSecret) {
      return this.#named("payment", await this.#retrieve(clientSecret));
    }

    async retrieveSetupIntent(clientSecret) {
      return this.#named("setup", await this.#retrieve(clientSecret));
    }

    async handleNextAction({ clientSecret }) {
      const kind = pathOf(clientSecret).includes("/payment_intents/") ? "payment" : "setup";
      const intent = await this.#retrieve(clientSecret);
      if (intent.error || intent.status !== "requires_action") return this.#named(kind, intent);
      return this.#named(kind, await this.#authenticate(intent, {}));
    }

    async #confirm(kind, { elements, clientSecret, confirmParams = {}, redirect = "always" }) {
      const secret = clientSecret ?? elements?.options.clientSecret;
      const path = pathOf(secret);
      if (redirect !== "if_required" && !confirmParams.return_url) {
        throw new IntegrationError("confirmParams.return_url is required.");
      }
      const body = { ...confirmParams, client_secret: secret };
      if (!confirmParams.payment_method) {
        const { error, data } = elements.typed();
        if (error) return { error };
        body.payment_method_data = { ...confirmParams.payment_method_data, ...data };
        const known = await this.#retrieve(secret);
        if (known.error) return { error: known.error };
        const different = elements.difference(known);
        if (different) {
          const message = `The ${different} given to elements() is not that of the intent.`;
          return { error: { type: "invalid_request_error", code: "intent_mismatch", message } };
        }
      }
      // Stripe's script always names a page to come back to, even where none will be used.
      body.return_url ??= location.href;
      let intent = await this.#ask(`${path}/confirm`, flat(body));
      if (intent.status === "requires_action") intent = await this.#authenticate(intent, elements?.options.appearance);
      if (!intent.error && redirect !== "if_required") {
        location.assign(this.#wayBack(confirmParams.return_url, kind, intent));
        return NEVER();
      }
      return this.#named(kind, intent);
    }

    #wayBack(url, kind, intent) {
      const back = new URL(url);
      back.searchParams.set(`${kind}_intent`, intent.id);
      back.searchParams.set(`${kind}_intent_client_secret`, intent.client_secret);
      back.searchParams.set("redirect_status", intent.status === "processing" ? "pending" : "succeeded");
      return back;
    }

    #named(kind, intent) {
      return intent.error ? { error: intent.error } : { [`${kind}Intent`]: intent };
    }

    async #authenticate(intent, appearance) {
      const passes = await askToAuthorise(intent, appearance);
      const body = JSON.stringify({ id: intent.id, client_secret: intent.client_secret, passes });
      const ended = await this.#ask("/endive/authenticate", body);
      const error = ended.last_payment_error ?? ended.last_setup_error;
      if (ended.error || !error || ended.status !== "requires_payment_method") return ended;
      return { error: { ...error, [intent.object]: ended } };
    }

    #retrieve(clientSecret) {
      return this.#ask(`${pathOf(clientSecret)}?${flat({ client_secret: clientSecret })}`);
    }

    async #ask(path, body) {
      const headers = { Authorization: `Bearer ${this.#key}` };
      if (typeof body === "string") headers["Content-Type"] = "application/json";
      try {
        const answer = await fetch(ORIGIN + path, { method: body ? "POST" : "GET", headers, body });
        return await answer.json();
      } catch {
        return unreachable();
      }
    }
  }

  // Resolves to whether the payment was authorised; closing the dialog is a no.
  function askToAuthorise(intent, appearance) {
    const what = intent.object === "payment_intent"
      ? new Intl.NumberFormat(document.documentElement.lang || "en", { style: "currency", currency: intent.currency })
      : null;
    const decimals = what?.resolvedOptions().maximumFractionDigits ?? 0;
    const sum = what ? `a payment of ${what.format(intent.amount / 10 ** decimals)}` : "that your card is kept";
    return new Promise((resolve) => {
      const authorise = make("button", { type: "button" }, "Authorise");
      const fail = make("button", { type: "button" }, "Fail");
      const dialog = make(
        "dialog",
        { "aria-labelledby": "title" },
        make("h2", { id: "title" }, "3-D Secure (stand-in)"),
        make("p", {}, `Your bank would ask you now to authorise ${sum}.`),
        make("div", { class: "buttons" }, authorise, fail),
      );
      const host = hostWith(appearance, dialog);
      const end = (passes) => {
        host.remove();
        resolve(passes);
      };
      authorise.addEventListener("click", () => end(true));
      fail.addEventListener("click", () => end(false));
      dialog.addEventListener("cancel", () => end(false));
      document.body.append(host);
      dialog.showModal();
      authorise.focus();
    });
  }

  window.Stripe = (key) => new StripeStandIn(key);
  window.Stripe.version = "endive";
})();
