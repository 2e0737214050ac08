/* Keepwell's messages inside a product: <script src="…/in-app/v1/in-app.js" data-token="…" defer></script>,
   or KeepwellInApp.start({ token: "…" or a function that brings one, every: seconds, show: a function of your own }). */
(() => {
  "use strict";
  const me = document.currentScript;
  const base = new URL(".", me.src).href;
  const css = `:host{all:initial}
section{position:fixed;right:0;bottom:0;padding:16px;z-index:2147483000;box-sizing:border-box;width:min(24rem,100vw);max-height:75vh;overflow:auto;font:16px/1.5 system-ui,sans-serif;color:#1b2430}
article{background:#fff;border:1px solid #cbd2db;border-radius:10px;box-shadow:0 4px 14px #0003;padding:14px 16px;margin-top:10px;overflow-wrap:anywhere}
header{display:flex;gap:8px}h2{font-size:16px;margin:0 auto 0 0;font-weight:600}p{margin:.5em 0}
a{display:inline-block;background:#0f766e;color:#fff;border-radius:6px;padding:7px 14px;text-decoration:none;margin-top:4px}
button{all:unset;cursor:pointer;width:24px;height:24px;line-height:22px;text-align:center;border-radius:6px;font-size:20px;flex:none}
button:hover{background:#8883}a:focus-visible,button:focus-visible{outline:2px solid #0f766e;outline-offset:2px}
@media(prefers-color-scheme:dark){section{color:#e7ebf0}article{background:#1f2733;border-color:#455163}a:focus-visible,button:focus-visible{outline-color:#5eead4}}
@media print{section{display:none}}`;
  let token, options, box, timer;
  const shown = new Map();

  async function call(path, method = "GET") {
    const one = typeof token === "function" ? await token() : token;
    const headers = { authorization: `Bearer ${one}` };
    const answer = await fetch(base + path, { method, headers, mode: "cors", credentials: "omit", keepalive: method === "POST" });
    if (!answer.ok) throw new Error(`Keepwell: ${answer.status}`);
    return method === "GET" ? answer.json() : null;
  }
  const tell = (message, kind) => call(`messages/${message.id}/${kind}`, "POST").catch(() => {});

  function make(name, text, parent) {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  }
  function place() {
    if (box) return box;
    const host = make("div", "", document.body);
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    box = make("section", "", root);
    box.setAttribute("aria-label", options.label || "Messages");
    box.setAttribute("aria-live", "polite");
    return box;
  }
  function away(message) {
    const card = shown.get(message.id);
    if (!card) return;
    const next = card.nextElementSibling || card.previousElementSibling;
    card.remove();
    shown.set(message.id, null);
    if (next) next.querySelector("button").focus();
    tell(message, "dismissed");
  }
  function draw(message) {
    const card = make("article", "", place());
    const head = make("header", "", card);
    const title = make("h2", message.title, head);
    title.id = `kw-${message.id}`;
    card.setAttribute("aria-labelledby", title.id);
    const close = make("button", "\u00d7", head);
    close.type = "button";
    close.setAttribute("aria-label", `${options.close || "Close"}: ${message.title}`);
    close.addEventListener("click", () => away(message));
    card.addEventListener("keydown", (event) => { if (event.key === "Escape") away(message); });
    message.text.split(/\n{2,}/).forEach((part) => make("p", part, card));
    if (message.button && /^(https?:|mailto:|\/(?!\/))/i.test(message.link)) {
      const link = make("a", message.button, card);
      link.href = message.link;
      link.addEventListener("click", () => { tell(message, "clicked"); });
    }
    shown.set(message.id, card);
    if (!message.seen) tell(message, "seen");
  }
  async function look() {
    if (document.hidden) return;
    try {
      const found = (await call("feed")).messages;
      if (options.show) options.show(found, tell);
      else {
        const known = new Set(found.map((one) => one.id));
        shown.forEach((card, id) => { if (card && !known.has(id)) { card.remove(); shown.delete(id); } });
        found.slice(0, options.most || 3).reverse().forEach((one) => { if (!shown.has(one.id)) draw(one); });
      }
    } catch { /* The product goes on without messages. */ }
  }
  window.KeepwellInApp = {
    start(given) {
      options = given;
      token = given.token;
      clearInterval(timer);
      timer = setInterval(look, Math.max(15, given.every || 60) * 1000);
      look();
    },
    stop() {
      clearInterval(timer);
      if (box) box.getRootNode().host.remove();
      box = undefined;
      shown.clear();
    },
  };
  document.addEventListener("visibilitychange", () => { if (timer && !document.hidden) look(); });
  if (me.dataset.token) window.KeepwellInApp.start({ token: me.dataset.token });
})();
