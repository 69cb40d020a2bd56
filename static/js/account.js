// Comforts of signing in: six digits are sent as soon as they are typed, a passkey is asked for, recovery codes are printed.
// Without this module the digits are sent by their button, and the cards that need a script stay hidden.

const DIGITS = 6;

// --- codes of an app -----------------------------------------------------------------------------------------------------

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-code]");
  if (!form || event.target.name !== "code") return;
  const digits = event.target.value.replace(/\D/g, "");
  if (digits.length === DIGITS && event.target.dataset.sent !== digits) {
    event.target.dataset.sent = digits;
    form.requestSubmit();
  }
});

// --- passkeys ------------------------------------------------------------------------------------------------------------

// Challenges and answers are bytes, which both sides write as base64 for addresses.
function bytes(text) {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (sign) => sign.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const known = (list) => list?.map((each) => ({ ...each, id: bytes(each.id) }));

async function create(options) {
  const { publicKey } = options;
  const credential = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: known(publicKey.excludeCredentials),
    },
  });
  return answer(credential, {
    attestationObject: text(credential.response.attestationObject),
    transports: credential.response.getTransports?.() ?? [],
  });
}

async function get(options) {
  const { publicKey } = options;
  const credential = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: known(publicKey.allowCredentials),
    },
  });
  const { authenticatorData, signature, userHandle } = credential.response;
  return answer(credential, {
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  });
}

function answer(credential, response) {
  return {
    type: credential.type,
    id: credential.id,
    rawId: text(credential.rawId),
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(credential.response.clientDataJSON), ...response },
  };
}

if (window.PublicKeyCredential) {
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      event.stopPropagation();
      const error = form.querySelector("[data-passkey-error]");
      error.hidden = true;
      try {
        const ask = form.dataset.passkey === "create" ? create : get;
        form.elements.credential.value = JSON.stringify(await ask(JSON.parse(form.dataset.challenge)));
        form.requestSubmit();
      } catch {
        // Given up, refused, or no passkey on this device.
        error.hidden = false;
      }
    });
  });
}

// --- recovery codes ------------------------------------------------------------------------------------------------------

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
