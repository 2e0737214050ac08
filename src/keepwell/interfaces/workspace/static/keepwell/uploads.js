// Files that are too large are refused before they travel: a connection that breaks after minutes tells nobody why.
(() => {
  "use strict";

  const form = document.querySelector("[data-upload-mb]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const said = document.getElementById("files-refused");
  const limit = Number(form.dataset.uploadMb);

  const check = () => {
    const size = Array.from(input.files).reduce((sum, file) => sum + file.size, 0) / 1e6;
    const tooLarge = size > limit;
    input.classList.toggle("is-invalid", tooLarge);
    input.setAttribute("aria-invalid", String(tooLarge));
    said.textContent = tooLarge ? `These are ${Math.ceil(size).toLocaleString("en")} MB, at most ${limit.toLocaleString("en")} MB go at once. Compress the files (.gz), split them, or load them on the server with “keepwell load”.` : "";
    return !tooLarge;
  };
  input.addEventListener("change", check);
  form.addEventListener("submit", (event) => {
    if (check()) return;
    event.preventDefault();
    input.focus();
  });
})();
