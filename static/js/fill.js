// "Use jana@gmail.com": puts the suggested value into its field and takes the complaint away, without sending the form.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fill]");
  if (!button) return;
  const input = document.getElementById(button.dataset.fill);
  event.preventDefault();
  input.value = button.value;
  input.removeAttribute("aria-invalid");
  input.closest(".field").querySelector(".field-error")?.remove();
  button.remove();
  input.focus();
});
