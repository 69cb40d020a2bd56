// Keeps the sum in a button true while an amount is typed, so that one press is enough. Without this script the page asks once more.

const field = document.querySelector("input[data-sum]");
const button = document.querySelector("button[data-pattern]");
const named = document.querySelector("input[name=named]");

// As core/forms.py scaled reads it; null for what is no amount or could be two.
function minor(text, digits, language) {
  const plain = text.replace(/[\s'’]/g, "");
  const sign = (type) => new Intl.NumberFormat(language).formatToParts(1234.5).find((part) => part.type === type)?.value;
  const decimal = plain.match(/^\d{1,12}(?:[.,](\d+))?$/);
  const grouped = plain.match(/^[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d+)?$/);
  const small = decimal && !(grouped && digits === 0) ? whole(plain.replace(",", "."), digits) : null;
  const large = grouped ? whole(plain.replaceAll(grouped[1], "").replace(",", "."), digits) : null;
  if (small === null && large !== null) {
    const isSure = plain.match(/[.,]/g).length > 1 || digits === 0 || grouped[1] === sign("group");
    return isSure ? large : null;
  }
  return large === null || (digits >= 3 && plain.includes(sign("decimal"))) ? small : null;
}

function whole(number, digits) {
  const value = Number(number) * 10 ** digits;
  return Math.abs(value - Math.round(value)) < 1e-6 && value > 0 ? Math.round(value) : null;
}

function name() {
  const language = document.documentElement.lang;
  const format = new Intl.NumberFormat(language, { style: "currency", currency: field.dataset.sum });
  const digits = format.resolvedOptions().maximumFractionDigits;
  const amount = minor(field.value, digits, language);
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
