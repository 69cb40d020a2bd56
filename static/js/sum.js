// Keeps the sum in a button true while an amount is typed, so that one press is enough. Without this script the page asks once more.

const field = document.querySelector("input[data-sum]");
const button = document.querySelector("button[data-pattern]");
const named = document.querySelector("input[name=named]");

function minor(text, digits) {
  const plain = text.replaceAll(" ", "").replace(",", ".");
  if (!/^\d{1,12}(\.\d+)?$/.test(plain)) return null;
  const value = Number(plain) * 10 ** digits;
  return Math.abs(value - Math.round(value)) < 1e-6 && value > 0 ? Math.round(value) : null;
}

function name() {
  const language = document.documentElement.lang;
  const format = new Intl.NumberFormat(language, { style: "currency", currency: field.dataset.sum });
  const digits = format.resolvedOptions().maximumFractionDigits;
  const amount = minor(field.value, digits);
  if (amount === null) return;
  const of = field.form.querySelector("input[name=payment]:checked");
  named.value = of ? `${of.value}:${amount}` : String(amount);
  button.textContent = button.dataset.pattern.replace("%s", format.format(amount / 10 ** digits));
}

if (field && button && named) {
  field.form.addEventListener("input", name);
  field.form.addEventListener("change", name);
  // Somebody may have typed before this script came.
  name();
}
