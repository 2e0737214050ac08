// Before anything is drawn: "auto" follows the system, so that no page flashes in the wrong colours.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => { if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  apply();
  dark.addEventListener("change", () => { apply(); document.dispatchEvent(new Event("keepwell:theme")); });
})();
