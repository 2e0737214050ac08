/* The form of an offer shows the fields of the chosen kind and what it costs; links are copied. */
(function () {
  "use strict";

  function costs(form) {
    var chosen = form.querySelector("input[name=kind]:checked");
    var units = chosen ? chosen.dataset.units.split(" ") : [];
    form.querySelectorAll("[data-unit]").forEach(function (box) {
      box.hidden = units.indexOf(box.dataset.unit) < 0;
    });
    var kind = chosen ? chosen.value : "";
    var computed = ["pause", "free_months", "discount"].indexOf(kind) >= 0 && form.dataset.mrr !== "";
    form.querySelector("[data-worth]").hidden = !kind || computed;
    var cost = form.querySelector("[data-cost]");
    cost.textContent = computed ? said(form, kind) : "";
  }

  function said(form, kind) {
    function number(name) {
      return parseFloat((form.querySelector("[name=" + name + "]").value || "").replace(",", ".")) || 0;
    }
    var months = number("months");
    var share = kind === "discount" ? number("percent") / 100 : 1;
    var cost = parseFloat(form.dataset.mrr) * share * (months || (kind === "discount" ? 12 : 0));
    if (!cost) { return ""; }
    var words = Math.round(cost).toLocaleString("en-US") + " " + form.dataset.currency;
    return "Costs us " + words + (kind === "discount" && !months ? " in a year." : ".");
  }

  document.querySelectorAll(".kw-offer-form").forEach(function (form) {
    form.addEventListener("input", function () { costs(form); });
    form.addEventListener("change", function () { costs(form); });
    costs(form);
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) { return; }
    var field = document.querySelector(button.dataset.copy);
    var words = button.querySelector("[data-copied]");
    field.select();
    if (navigator.clipboard) {
      navigator.clipboard.writeText(field.value).then(function () { words.textContent = words.dataset.copied; });
    }
  });
})();
