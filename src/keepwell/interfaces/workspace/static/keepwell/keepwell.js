// What all pages share: the keyboard, charts from JSON in the page, and messages of answers that HTMX brings.
(() => {
  "use strict";

  const typing = (target) => target.closest && target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
  const dialogOpen = () => document.querySelector(".modal.show, .offcanvas.show");
  let waitsForPage = false;

  // --- Keyboard: "/" finds, "g x" goes, "j k" move between rows, Enter opens, "?" helps -----------------------------
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement.closest("[data-row]"));
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (waitsForPage) {
      waitsForPage = false;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    const keyed = [...document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`)].filter((e) => e.offsetParent !== null);
    const near = document.activeElement.closest("[data-row]");
    const chosen = keyed.find((e) => near && near.contains(e)) || keyed.find((e) => !e.closest("[data-row]"));
    if (chosen) {
      event.preventDefault();
      if (chosen.matches("input, textarea, select")) { chosen.focus(); if (chosen.select) chosen.select(); } else chosen.click();
    } else if (event.key === "g") waitsForPage = true;
    else if (event.key === "j" && !dialogOpen()) { event.preventDefault(); move(1); }
    else if (event.key === "k" && !dialogOpen()) { event.preventDefault(); move(-1); }
    else if (event.key === "Enter" && document.activeElement.matches("[data-row][data-href]")) location.assign(document.activeElement.dataset.href);
    else if (event.key === "?") document.querySelector('[data-bs-target="#shortcuts"]')?.click();
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row][data-href]");
    if (row && !event.target.closest("a, button, input, label, select, summary, textarea") && !String(getSelection())) location.assign(row.dataset.href);
  });

  // --- Charts: <div data-chart="id-of-json"> holds an ECharts option; colours come from the theme -------------------
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const resolve = (value) => {
    if (typeof value === "string" && value.startsWith("var(")) return variable(value.slice(4, -1));
    if (Array.isArray(value)) return value.map(resolve);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v)]));
    return value;
  };
  function themed(option) {
    const text = variable("--tblr-secondary"), line = variable("--tblr-border-color");
    const axis = (one) => ({ ...one, axisLabel: { color: text, ...one.axisLabel }, axisLine: { lineStyle: { color: line }, ...one.axisLine }, splitLine: { lineStyle: { color: line }, ...one.splitLine } });
    const each = (axes) => (axes === undefined ? undefined : Array.isArray(axes) ? axes.map(axis) : axis(axes));
    const result = { animation: false, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text }, ...resolve(option) };
    if (result.xAxis) result.xAxis = each(result.xAxis);
    if (result.yAxis) result.yAxis = each(result.yAxis);
    if (result.legend) result.legend = { textStyle: { color: text }, ...result.legend };
    // HTML tooltips would need inline styles, which the page's security policy refuses.
    result.tooltip = { renderMode: "richText", confine: true, backgroundColor: variable("--tblr-bg-surface"), borderColor: line, textStyle: { color: variable("--tblr-body-color") }, ...result.tooltip };
    return result;
  }
  function draw(place) {
    if (!window.echarts) return;
    const source = document.getElementById(place.dataset.chart);
    if (!source) return;
    const chart = echarts.getInstanceByDom(place) || echarts.init(place, null, { renderer: "svg" });
    chart.setOption(themed(JSON.parse(source.textContent)), true);
    if ("link" in place.dataset && !place.dataset.linked) {
      place.dataset.linked = "1";
      chart.on("click", (at) => { const to = at.data && at.data.href; if (to) location.assign(to); });
    }
  }
  const drawAll = (root) => root.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("keepwell:theme", () => drawAll(document));
  window.addEventListener("resize", () => document.querySelectorAll("[data-chart]").forEach((p) => window.echarts?.getInstanceByDom(p)?.resize()));

  // --- Widths and colours that data decide: set from attributes, as inline styles are refused -----------------------
  function size(root) {
    root.querySelectorAll("[data-width]").forEach((e) => { e.style.width = `${Math.max(0, Math.min(100, Number(e.dataset.width)))}%`; });
    root.querySelectorAll("[data-left]").forEach((e) => { e.style.left = `${Math.max(0, Math.min(100, Number(e.dataset.left)))}%`; });
    root.querySelectorAll("[data-shade]").forEach((e) => { e.style.setProperty("--kw-shade", e.dataset.shade); });
  }

  // What scrolls can be reached by keyboard.
  const SCROLLS = ".table-responsive, .kw-values, .kw-code, .kw-scroll";
  const reach = (root) => root.querySelectorAll(SCROLLS).forEach((e) => {
    if (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight) e.tabIndex = 0;
  });
  window.addEventListener("resize", () => reach(document));
  document.addEventListener("toggle", (event) => reach(event.target), true);

  function prepare(root) {
    size(root);
    reach(root);
    root.querySelectorAll(".kw-tabs .nav-link.active").forEach((e) => { const bar = e.closest(".kw-tabs"); bar.scrollLeft = e.offsetLeft + e.offsetWidth - bar.clientWidth; });
    drawAll(root);
    root.querySelectorAll("[data-autofocus]").forEach((e) => e.focus());
    // What HTMX brings may be the dialog itself.
    [root, ...root.querySelectorAll(".modal[data-open]")].filter((e) => e.matches && e.matches(".modal[data-open]")).forEach((e) => bootstrapOf("Modal").getOrCreateInstance(e).show());
    root.querySelectorAll("input[data-check-all]").forEach((box) => box.addEventListener("change", () => {
      document.querySelectorAll(`input[name="${CSS.escape(box.dataset.checkAll)}"]`).forEach((one) => { one.checked = box.checked; one.dispatchEvent(new Event("change", { bubbles: true })); });
    }));
  }
  const bootstrapOf = (name) => (window.bootstrap || window.tabler.bootstrap || window.tabler)[name];

  document.addEventListener("DOMContentLoaded", () => prepare(document));
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) prepare(event.detail.elt); });
  document.addEventListener("keepwell:close-dialog", () => { const open = document.querySelector("#dialog .modal"); if (open) bootstrapOf("Modal").getOrCreateInstance(open).hide(); });
  document.addEventListener("hidden.bs.modal", (event) => { if (event.target.closest("#dialog")) document.getElementById("dialog").replaceChildren(); });
  document.addEventListener("shown.bs.modal", (event) => event.target.querySelector("[data-autofocus], [autofocus]")?.focus());

  // Answers that are no success still say something: their text goes where messages go.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([400, 409, 422].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  const tell = (text) => {
    const box = document.createElement("div");
    box.className = "alert alert-danger";
    box.setAttribute("role", "alert");
    box.textContent = text;
    document.getElementById("messages")?.replaceChildren(box);
  };
  document.addEventListener("htmx:sendError", () => tell("The workspace cannot be reached. Check the connection and try again."));
  document.addEventListener("htmx:responseError", (event) => tell(event.detail.xhr.status === 404 ? "This is not there any more, or you may not see it." : event.detail.xhr.status === 403 ? "You may not do this, or you were signed out. Reload the page." : "Something went wrong. Try again."));
  document.addEventListener("change", (event) => { if (event.target.matches("[data-submit]")) event.target.form.requestSubmit(); });
})();
