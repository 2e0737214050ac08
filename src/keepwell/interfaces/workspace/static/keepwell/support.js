// Escalations: the document is copied as it stands.
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-text]");
    if (!button) return;
    const field = document.querySelector(button.dataset.copyText), words = button.querySelector("[data-copied]");
    field.focus();
    field.select();
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
      else document.execCommand("copy");
      words.textContent = words.dataset.copied;
    } catch {
      words.textContent = "Selected: press Ctrl+C";
    }
  });
})();
