// Alerts: clocks that go on while the page is open, and quick moments for a snooze.
(() => {
  "use strict";

  const began = performance.now();
  const words = (milliseconds) => {
    const minutes = Math.floor(milliseconds / 60000), hours = Math.floor(minutes / 60);
    if (hours >= 48) return `${Math.floor(hours / 24)} days`;
    return hours ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
  };
  // The server says which moment it is: in a demo that is not the browser's.
  const tick = () => document.querySelectorAll("[data-due]").forEach((place) => {
    const now = Date.parse(place.dataset.now) + performance.now() - began, left = Date.parse(place.dataset.due) - now;
    const late = left <= 0;
    place.textContent = late ? `overdue ${words(-left)}` : `${words(left)} left`;
    place.classList.toggle("kw-late", late);
    if (late) place.classList.remove("kw-soon", "text-secondary");
  });
  setInterval(tick, 15000);

  document.addEventListener("click", (event) => {
    const quick = event.target.closest("[data-set-until]");
    if (quick) { const field = document.getElementById("until"); field.value = quick.dataset.setUntil; document.getElementById("reason").focus(); }
  });
  document.addEventListener("change", (event) => {
    const all = document.querySelector("#bulk [data-check-all]"), boxes = [...document.querySelectorAll(".kw-check input")];
    if (all && event.target.matches(".kw-check input")) all.checked = boxes.every((box) => box.checked);
  });
  document.addEventListener("click", (event) => {
    const all = event.target.closest("[data-clear-selected]") && document.querySelector("#bulk [data-check-all]");
    if (all) all.checked = false;
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.open) event.target.querySelector("#reason, #to")?.focus();
  }, true);
})();
