// The queue: opening tasks beside the list, selecting several, and the outcome form by keyboard.
(() => {
  "use strict";

  const writing = (target) => target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
  const dialogOpen = () => document.querySelector(".modal.show");
  const open = (row) => row.querySelector(".kw-task-title")?.click();

  // --- The list -------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-task]");
    if (row && !event.target.closest("a, button, input, label") && !String(getSelection())) open(row);
    if (event.target.closest("[data-clear-selected]")) {
      document.querySelectorAll(".kw-check input:checked").forEach((box) => { box.checked = false; });
      count();
    }
  });
  const count = () => document.querySelectorAll("[data-selected]").forEach((place) => {
    place.textContent = document.querySelectorAll(".kw-check input:checked").length;
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || dialogOpen()) return;
    const active = document.activeElement;
    if (event.key === "Enter" && active.matches("[data-task]")) {
      event.preventDefault();
      open(active);
    } else if (event.key === "Enter" && !active.matches("a, button, input, summary, label")) {
      const form = document.getElementById("outcome");
      if (form) { event.preventDefault(); form.requestSubmit(); }
    } else if (event.shiftKey && /^Digit\d$/.test(event.code) && !/^\d$/.test(event.key)) {
      // With Shift a result is chosen and logged in one. Where digits themselves need Shift, Enter logs.
      const radio = document.querySelector(`#outcome label[data-key="${event.code.slice(5)}"]`)?.control;
      if (radio?.name === "result") { event.preventDefault(); radio.checked = true; radio.form.requestSubmit(); }
    } else if ((event.key === "j" || event.key === "k") && !active.closest("[data-row]")) {
      const rows = [...document.querySelectorAll("[data-task]")].filter((row) => row.offsetParent !== null);
      const at = rows.findIndex((row) => row.classList.contains("kw-selected"));
      const next = rows[Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)))];
      if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest" }); }
    }
  });

  // --- The card -------------------------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    if (event.target.matches(".kw-check input")) count();
    if (event.target.matches("#outcome [type=radio]")) event.target.focus();
  });
  document.addEventListener("click", (event) => {
    const quick = event.target.closest("[data-set-date]");
    if (quick) { const field = document.getElementById(quick.dataset.setDate); field.value = quick.dataset.date; field.focus(); }
  });
  document.addEventListener("keydown", (event) => {
    // A date field keeps Enter for itself; in the form it means done, as everywhere else in it.
    const field = event.target.closest("[data-enter-submits], #outcome [type=date]");
    if (field && event.key === "Enter" && !event.shiftKey) { event.preventDefault(); field.form.requestSubmit(); }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    count();
    const number = event.detail.pathInfo?.requestPath.match(/\/tasks\/(\d+)/)?.[1];
    if (event.detail.target?.id !== "card" || !number) return;
    document.getElementById("today")?.classList.add("kw-today-chosen");
    document.querySelectorAll("[data-task]").forEach((row) => row.classList.toggle("kw-selected", row.dataset.task === number));
    if (matchMedia("(max-width: 991.98px)").matches) scrollTo(0, 0);
  });
})();
