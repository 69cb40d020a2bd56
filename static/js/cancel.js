// Keeps the button true while somebody chooses who calls a booking off, so that one press is enough. The fee of another moment
// is not known here: the button then says that it looks it up, and the page asks once more, as it does without this script.

const button = document.querySelector("button[data-choices]");

function name() {
  const { who, takes_fee, called_at, named } = button.form.elements;
  const choices = JSON.parse(button.dataset.choices);
  const isCustomer = who.value === "customer";
  const isKnown = called_at.value === called_at.defaultValue;
  const key = !who.value ? "nobody" : !isCustomer ? "business" : !takes_fee.checked ? "free" : isKnown ? "fee" : "unknown";
  [named.value, button.textContent] = choices[key];
}

button?.form.addEventListener("input", name);
