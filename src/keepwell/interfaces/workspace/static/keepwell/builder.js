// The segment builder: conditions as rows. The rows are sent as a tree and become YAML on the server; YAML comes back
// from there as rows. What is shown beside them is counted by the server while rows change.
(() => {
  "use strict";

  const form = document.querySelector("[data-builder]");
  if (!form) return;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const catalogue = read("segment-catalogue");
  const fields = new Map(catalogue.fields.map((field) => [field.name, field]));
  const rowsBox = form.querySelector("[data-rows-box]");
  const yamlBox = form.querySelector("[data-yaml-box]");
  const text = form.elements.definition;
  const preview = document.getElementById("preview");
  let numbers = 0;
  const fresh = (prefix) => `${prefix}-${(numbers += 1)}`;

  // --- Words of the choices -----------------------------------------------------------------------------------------
  const OPERATORS = {
    number: { greater_or_equal: "is at least", greater: "is more than", less_or_equal: "is at most", less: "is less than", between: "is between", equals: "is", not_equals: "is not", is_known: "is known", is_unknown: "is not known", has_been_for: "has been … for" },
    text: { equals: "is", not_equals: "is not", in: "is one of", not_in: "is none of", contains_ignoring_case: "contains", contains: "contains (same case)", starts_with: "starts with", ends_with: "ends with", matches: "matches", is_known: "is known", is_unknown: "is not known", has_been_for: "has been … for" },
    boolean: { equals: "is", is_known: "is known", is_unknown: "is not known", has_been_for: "has been … for" },
    date: { within_last: "is in the last", after: "is after", before: "is before", greater_or_equal: "is on or after", less_or_equal: "is on or before", is_known: "is known", is_unknown: "is not known" },
    list: { includes: "includes", is_known: "is known", is_unknown: "is empty" },
  };
  OPERATORS.any = { ...OPERATORS.text, ...OPERATORS.number, includes: "includes", within_last: "is in the last", before: "is before", after: "is after" };
  const NO_VALUE = ["is_known", "is_unknown"];
  const MANY = ["in", "not_in"];
  const COMPARED = { ">=": "at least", "<=": "at most", "=": "exactly", ">": "more than", "<": "fewer than", "!=": "not exactly" };
  const UNITS = { d: "days", w: "weeks", h: "hours", min: "minutes", s: "seconds" };
  const DID = {
    event: ["Did something", "so many times, in a time"],
    never: ["Did not do something", "in a time"],
    first_time: ["Did something for the first time", "lately"],
    stopped: ["Stopped doing something", "for a time"],
    restarted: ["Started again", "after a quiet time"],
    regularly: ["Does something regularly", "in most weeks, say"],
    sequence: ["Did one thing after the other", "in this order"],
    last_event: ["The last time had a property", "of the event"],
  };
  const SETS = { all: "All of these", any: "Any of these", none: "None of these" };

  // --- Small helpers -------------------------------------------------------------------------------------------------
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === false || value === undefined || value === null) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "value") element.value = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }
  const choose = (label, options, value, changed) => {
    const select = make("select", { class: "form-select", "aria-label": label, onchange: (event) => changed(event.target.value) });
    for (const [key, shown] of Object.entries(options)) select.append(make("option", { value: key, selected: key === value }, shown));
    if (value !== undefined && !(value in options) && value !== "") select.append(make("option", { value, selected: true }, value));
    return select;
  };
  const type = (label, value, changed, more = {}) => make("input", { class: "form-control", type: "text", "aria-label": label, value: value ?? "", autocomplete: "off", oninput: (event) => changed(event.target.value), ...more });
  const lengthOf = (said) => {
    const found = /^\s*(\d+)\s*(s|min|h|d|w|seconds?|minutes?|hours?|days?|weeks?)\s*$/.exec(said ?? "");
    const unit = { s: "s", m: "min", h: "h", d: "d", w: "w" };
    return found ? { number: found[1], unit: found[2] === "min" || found[2].startsWith("minute") ? "min" : unit[found[2][0]] } : { number: "", unit: "d" };
  };
  function length(label, said, changed, extra = {}) {
    const at = { ...lengthOf(said), ...extra };
    const units = Object.fromEntries(Object.entries(UNITS).filter(([unit]) => ["d", "w", "h"].includes(unit) || unit === at.unit));
    const tell = () => changed(at.number ? `${at.number}${at.unit}` : "");
    return [
      type(`${label}, number`, at.number, (value) => { at.number = value.replace(/\D/g, ""); tell(); }, { class: "form-control kw-short", inputmode: "numeric" }),
      choose(`${label}, unit`, units, at.unit, (value) => { at.unit = value; tell(); }),
    ];
  }
  const countOf = (said) => {
    const found = /^\s*(>=|<=|!=|==|=|>|<)?\s*(\d+)\s*$/.exec(String(said ?? ">= 1"));
    return found ? { sign: (found[1] || "=").replace("==", "="), number: found[2] } : { sign: ">=", number: "1" };
  };
  function count(said, changed) {
    const at = countOf(said);
    const tell = () => changed(at.number === "" ? "" : `${at.sign} ${at.number}`);
    return [
      choose("How often", COMPARED, at.sign, (value) => { at.sign = value; tell(); }),
      type("How many times", at.number, (value) => { at.number = value.replace(/\D/g, ""); tell(); }, { class: "form-control kw-short", inputmode: "numeric" }),
      make("span", {}, "times"),
    ];
  }

  // --- From a tree to rows and back ------------------------------------------------------------------------------------
  function fromTree(node) {
    if (node.all) return { set: "all", items: node.all.map(fromTree) };
    if (node.any) return { set: "any", items: node.any.map(fromTree) };
    if (node.not) {
      if (typeof node.not.segment === "string") return { row: "segment", segment: node.not.segment, inside: false };
      const inner = fromTree(node.not);
      return inner.set === "any" ? { set: "none", items: inner.items } : { set: "none", items: [inner] };
    }
    if (typeof node.segment === "string") return { row: "segment", segment: node.segment, inside: true };
    if ("attribute" in node) return { row: "field", ...node };
    const what = ["first_time", "stopped", "restarted", "regularly", "sequence", "last_event"].find((key) => key in node) || "event";
    const row = { row: "did", ...node, what, where: tests(node.where), has: tests(node.has) };
    if (what === "sequence") row.steps = node.sequence.map((step) => ({ event: step.event, where: tests(step.where) }));
    else row.event = node[what];
    if (what === "event" && node.count !== undefined) {
      const at = countOf(node.count);
      if (at.sign === "=" && at.number === "0") row.what = "never";
    }
    return row;
  }
  const tests = (where) => (where && where.all ? where.all.map((test) => ({ row: "field", ...test })) : []);

  const test = (row) => {
    const node = { attribute: row.attribute, operator: row.operator };
    if (!NO_VALUE.includes(row.operator)) node.value = row.value;
    if (row.operator === "has_been_for") node.for = row.for;
    return node;
  };
  const testDone = (row) => {
    if (!row.attribute || !row.operator) return false;
    if (NO_VALUE.includes(row.operator)) return true;
    if (row.operator === "between") return Array.isArray(row.value) && row.value.length === 2 && row.value.every((one) => one !== "" && one !== undefined && one !== null);
    if (MANY.includes(row.operator)) return Array.isArray(row.value) && row.value.length > 0;
    if (row.operator === "has_been_for" && !row.for) return false;
    return row.value !== "" && row.value !== undefined && row.value !== null;
  };
  const properties = (list) => {
    const done = (list || []).filter(testDone).map(test);
    return done.length ? { all: done } : undefined;
  };
  function did(row) {
    const kept = {};
    const put = (name, value) => { if (value !== undefined && value !== "") kept[name] = value; };
    if (row.what === "sequence") {
      kept.sequence = row.steps.filter((step) => step.event).map((step) => { const where = properties(step.where); return where ? { event: step.event, where } : step.event; });
      put("within", row.within); put("gap", row.gap);
      return kept;
    }
    kept[row.what === "never" ? "event" : row.what] = row.event;
    if (row.what === "never") kept.count = "= 0";
    else if (row.what === "event" || row.what === "regularly") put("count", row.count);
    if (row.what === "regularly") { put("every", row.every); put("periods", Number(row.periods) || undefined); put("at_least", Number(row.at_least) || undefined); }
    else put("within", row.within);
    if (row.what === "event" || row.what === "never") put("since", row.since);
    if (row.what === "stopped") put("for", row.for);
    if (row.what === "restarted") put("quiet", row.quiet);
    put("where", properties(row.where));
    if (row.what === "last_event") put("has", properties(row.has));
    return kept;
  }
  function didDone(row) {
    if (row.what === "sequence") return row.steps.filter((step) => step.event).length > 1;
    if (!row.event) return false;
    const needed = { first_time: ["within"], stopped: ["for"], restarted: ["within", "quiet"], regularly: ["every", "periods", "at_least"] }[row.what] || [];
    return needed.every((name) => row[name]) && (row.what !== "last_event" || Boolean(properties(row.has)));
  }
  const done = (item) => (item.set ? item.items.some(done) : item.row === "field" ? testDone(item) : item.row === "segment" ? Boolean(item.segment) : item.row === "did" ? didDone(item) : false);

  // The tree of the rows that are finished; `places` remembers which row stands at which path.
  function toTree(item, path, places) {
    places.set(path.join("/"), item);
    if (item.row === "field") return test(item);
    if (item.row === "did") return did(item);
    if (item.row === "segment") return item.inside === false ? { not: { segment: item.segment } } : { segment: item.segment };
    const kept = item.items.filter(done);
    if (item.set !== "none") return { [item.set]: kept.map((one, at) => toTree(one, [...path, item.set, at], places)) };
    if (kept.length === 1) return { not: toTree(kept[0], [...path, "not"], places) };
    return { not: { any: kept.map((one, at) => toTree(one, [...path, "not", "any", at], places)) } };
  }

  // --- State -----------------------------------------------------------------------------------------------------------
  let root = { set: "all", items: [] };
  let places = new Map();
  const unfinished = (item) => (item.set ? item.items.reduce((sum, one) => sum + unfinished(one), 0) : done(item) ? 0 : 1);

  function changed() {
    places = new Map();
    const tree = toTree(root, ["when"], places);
    form.elements.tree.value = JSON.stringify(done(root) ? tree : { all: [] });
    form.elements.asked.value = fresh("asked");
    htmx.trigger(preview, "keepwell:drafted");
  }
  function again(focus) {
    rowsBox.replaceChildren(drawSet(root, null));
    changed();
    if (focus) rowsBox.querySelector(`[data-focus="${focus}"]`)?.focus();
  }

  // --- Choosing what a row is about: one search over fields, segments and behaviour -----------------------------------
  const everything = () => [
    ...Object.entries(DID).map(([what, [label, hint]]) => ({ key: `did:${what}`, label, hint, group: "What they did" })),
    { key: "segment:", label: "Is in a segment", hint: "or is not", group: "Segments" },
    ...catalogue.fields.map((field) => ({ key: `field:${field.name}`, label: field.label, hint: field.unit, group: field.group, also: field.name })),
  ];
  const shownOf = (item) => {
    if (item.row === "field") return fields.get(item.attribute)?.label || item.attribute;
    if (item.row === "segment") return "Is in a segment";
    return item.row === "did" ? DID[item.what][0] : "";
  };
  function pick(item, take) {
    const list = fresh("pick"), box = make("div", { class: "kw-pick" });
    const options = make("div", { class: "kw-pick-list", id: list, role: "listbox", "aria-label": "Fields", hidden: true });
    const input = make("input", { class: "form-control", type: "text", role: "combobox", "aria-label": "What the condition is about", "aria-expanded": "false", "aria-controls": list, "aria-autocomplete": "list", autocomplete: "off", placeholder: "Search a field, a segment or what they did", value: shownOf(item), "data-focus": item.id });
    let found = [], at = -1;
    const close = () => { options.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); input.value = shownOf(item); };
    const mark = (next) => {
      at = next;
      options.querySelectorAll("[role=option]").forEach((option, place) => {
        option.setAttribute("aria-selected", String(place === at));
        if (place === at) { input.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
      });
    };
    const open = (words) => {
      const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
      const holds = (said) => wanted.every((word) => said.toLowerCase().includes(word));
      found = everything().filter((one) => holds(`${one.label} ${one.also || ""}`));
      if (!found.length) found = everything().filter((one) => holds(`${one.label} ${one.also || ""} ${one.group}`));
      options.replaceChildren();
      let group = "";
      found.forEach((one) => {
        if (one.group !== group) { group = one.group; options.append(make("div", { class: "kw-pick-group", role: "presentation" }, group)); }
        options.append(make("div", { class: "kw-pick-option", role: "option", id: fresh("option"), "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(one.key); } }, make("span", {}, one.label), make("span", { class: "text-secondary small" }, one.hint || "")));
      });
      if (!found.length) options.append(make("div", { class: "kw-pick-group", role: "presentation" }, "Nothing is called so"));
      options.hidden = false;
      input.setAttribute("aria-expanded", "true");
      mark(found.length && words ? 0 : -1);
    };
    input.addEventListener("focus", () => { input.select(); open(""); });
    input.addEventListener("click", () => { if (options.hidden) open(""); });
    input.addEventListener("input", () => open(input.value));
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (options.hidden) open("");
        const step = event.key === "ArrowDown" ? 1 : -1;
        if (found.length) mark((at + step + found.length) % found.length);
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (!options.hidden && at >= 0) take(found[at].key);
      } else if (event.key === "Escape" && !options.hidden) { event.stopPropagation(); close(); }
    });
    box.append(input, options);
    return box;
  }
  function become(item, key) {
    const [row, ...rest] = key.split(":"), what = rest.join(":");
    for (const name of Object.keys(item)) if (name !== "id") delete item[name];
    if (row === "field") {
      const kind = fields.get(what)?.kind || "any";
      Object.assign(item, { row, attribute: what, operator: Object.keys(OPERATORS[kind])[0], value: kind === "boolean" ? true : "" });
    } else if (row === "segment") Object.assign(item, { row, segment: "", inside: true });
    else {
      Object.assign(item, { row: "did", what, event: "", where: [], has: [], within: ["event", "never", "sequence"].includes(what) ? "30d" : what === "restarted" ? "7d" : what === "first_time" ? "30d" : "" });
      if (what === "event") item.count = ">= 1";
      if (what === "stopped") item.for = "14d";
      if (what === "restarted") item.quiet = "30d";
      if (what === "regularly") Object.assign(item, { every: "7d", periods: 4, at_least: 3, count: ">= 1" });
      if (what === "last_event") item.has = [{ row: "field", attribute: "", operator: "equals", value: "" }];
      if (what === "sequence") item.steps = [{ event: "", where: [] }, { event: "", where: [] }];
    }
    again(`${item.id}-next`);
  }

  // --- Rows --------------------------------------------------------------------------------------------------------------
  const suggested = new Map();
  function suggest(input, name, hint) {
    const show = (found) => {
      const id = fresh("values");
      if (found.values.length) { input.after(make("datalist", { id }, ...found.values.map((value) => make("option", { value })))); input.setAttribute("list", id); }
      if (hint) hint.textContent = found.hint || "";
    };
    if (!suggested.has(name)) suggested.set(name, fetch(`${form.dataset.values}?field=${encodeURIComponent(name)}`, { headers: { Accept: "application/json" } }).then((answer) => (answer.ok ? answer.json() : { values: [], hint: "" })).catch(() => ({ values: [], hint: "" })));
    suggested.get(name).then(show);
  }
  const asNumber = (value) => (value.trim() === "" ? "" : Number.isFinite(Number(value.replace(/,/g, ""))) ? Number(value.replace(/,/g, "")) : value);
  const guessed = (value) => (/^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value);

  function operands(item, kind, name, redraw) {
    const number = kind === "number", parse = number ? asNumber : kind === "any" ? guessed : (value) => value;
    const set = (value) => { item.value = value; changed(); };
    const first = { "data-focus": `${item.id}-next` };
    const one = (label, value, put, more = {}) => type(label, value, (said) => put(parse(said)), { ...(number ? { inputmode: "decimal" } : { class: "form-control kw-wide" }), ...more });
    if (NO_VALUE.includes(item.operator)) return [];
    if (item.operator === "between") {
      const pair = Array.isArray(item.value) ? item.value : ["", ""];
      const put = (at) => (value) => { pair[at] = value; set([...pair]); };
      return [one("From", pair[0], put(0), first), make("span", {}, "and"), one("To", pair[1], put(1))];
    }
    if (MANY.includes(item.operator)) {
      const input = type("Values, with commas between them", (Array.isArray(item.value) ? item.value : []).join(", "), (said) => set(said.split(",").map((part) => parse(part.trim())).filter((part) => part !== "")), { class: "form-control kw-wide", placeholder: "one, another", ...first });
      return [input];
    }
    if (item.operator === "within_last") return length("Length", item.value, set);
    if (item.operator === "before" || item.operator === "after") {
      const ago = /^\d+\s*[a-z]+$/.test(String(item.value ?? ""));
      const way = choose("Moment", { date: "a date", ago: "so long ago" }, ago || item.ago ? "ago" : "date", (value) => { item.ago = value === "ago"; item.value = ""; redraw(); });
      return ago || item.ago ? [way, ...length("Length", item.value, set), make("span", {}, "ago")] : [way, type("Date", item.value, set, { type: "date", ...first })];
    }
    const parts = [];
    if (kind === "boolean") parts.push(choose("Value", { true: "yes", false: "no" }, String(item.value === "" ? true : item.value), (value) => set(value === "true")));
    else if (kind === "date") parts.push(type("Date", item.value, set, { type: "date", ...first }));
    else parts.push(one("Value", item.value, set, first));
    if (item.operator === "has_been_for") {
      const at = /^\s*(>=|<=|>|<)?\s*(.*)$/.exec(item.for ?? ">= 7d");
      const said = { sign: at[1] || ">=", length: at[2] };
      const tell = () => { item.for = said.length ? `${said.sign} ${said.length}` : ""; changed(); };
      if (!item.for) item.for = ">= 7d";
      parts.push(make("span", {}, "for"), choose("How long", { ">=": "at least", "<": "less than" }, said.sign, (value) => { said.sign = value; tell(); }), ...length("How long", said.length, (value) => { said.length = value; tell(); }));
    }
    return parts;
  }
  function fieldLine(item, redraw) {
    const field = fields.get(item.attribute), kind = field?.kind || "any";
    const operator = choose("Operator", OPERATORS[kind], item.operator, (value) => {
      const was = item.operator;
      item.operator = value;
      if (MANY.includes(value) !== MANY.includes(was) || (value === "between") !== (was === "between") || ["within_last", "before", "after"].includes(value) || ["within_last", "before", "after"].includes(was)) item.value = MANY.includes(value) ? (item.value && !Array.isArray(item.value) ? [item.value] : []) : value === "between" ? ["", ""] : "";
      redraw();
    });
    if (kind === "boolean" && item.operator === "equals" && item.value === "") item.value = true;
    const hint = make("span", { class: "text-secondary small" });
    const parts = operands(item, kind, item.attribute, redraw);
    const input = parts.find((part) => part.matches("input.form-control:not([type=date])"));
    if (input && field) suggest(input, item.attribute, kind === "number" ? hint : null);
    return [operator, ...parts, field?.unit && !NO_VALUE.includes(item.operator) ? make("span", { class: "text-secondary" }, field.unit) : null, hint];
  }
  function propertyTests(title, list, item, redraw) {
    const lines = list.map((one, at) => make("div", { class: "kw-row-line" },
      type("Property", one.attribute, (value) => { one.attribute = value; changed(); }, { list: "event-properties", placeholder: "property" }),
      choose("Operator", OPERATORS.any, one.operator || "equals", (value) => { one.operator = value; one.value = value === "between" ? ["", ""] : MANY.includes(value) ? [] : ""; redraw(); }),
      ...operands(one, "any", "", redraw),
      make("button", { class: "btn btn-sm btn-ghost-secondary", type: "button", "aria-label": "Remove this property", onclick: () => { list.splice(at, 1); redraw(); } }, "×")));
    const add = make("button", { class: "btn btn-sm btn-ghost-secondary", type: "button", onclick: () => { list.push({ row: "field", attribute: "", operator: "equals", value: "" }); redraw(); } }, `+ ${title}`);
    return make("div", { class: "kw-row-more" }, ...lines, make("div", {}, add));
  }
  const eventInput = (label, value, put, more = {}) => type(label, value, (said) => { put(said); changed(); }, { list: "event-names", placeholder: "event, * for any", class: "form-control kw-wide", ...more });
  function span(item, redraw, ways) {
    const now = item.since !== undefined ? "since" : item.within ? "within" : "ever";
    const way = choose("When", Object.fromEntries(Object.entries({ within: "in the last", since: "since", ever: "ever" }).filter(([key]) => ways.includes(key))), now, (value) => {
      delete item.since;
      item.within = value === "within" ? "30d" : "";
      if (value === "since") item.since = "";
      redraw();
    });
    if (now === "within") return [way, ...length("In the last", item.within, (value) => { item.within = value; changed(); })];
    return now === "since" ? [way, type("Since", item.since, (value) => { item.since = value; changed(); }, { type: "date" })] : [way];
  }
  function didLine(item, redraw) {
    const put = (name) => (value) => { item[name] = value; changed(); };
    const event = item.what === "sequence" ? null : eventInput("Event", item.event, (value) => { item.event = value; }, { "data-focus": `${item.id}-next` });
    switch (item.what) {
      case "event": return [event, ...count(item.count, put("count")), ...span(item, redraw, ["within", "since", "ever"])];
      case "never": return [event, ...span(item, redraw, ["within", "since", "ever"])];
      case "first_time": return [event, make("span", {}, "in the last"), ...length("In the last", item.within, put("within"))];
      case "stopped": return [event, make("span", {}, "not in the last"), ...length("Not in the last", item.for, put("for")), make("span", {}, "but before,"), ...span(item, redraw, ["within", "ever"])];
      case "restarted": return [event, make("span", {}, "in the last"), ...length("In the last", item.within, put("within")), make("span", {}, "after"), ...length("After quiet", item.quiet, put("quiet")), make("span", {}, "without")];
      case "regularly": return [event, ...count(item.count, put("count")), make("span", {}, "in at least"), type("In at least so many periods", item.at_least, put("at_least"), { class: "form-control kw-short", inputmode: "numeric" }), make("span", {}, "of the last"), type("Of so many periods", item.periods, put("periods"), { class: "form-control kw-short", inputmode: "numeric" }), make("span", {}, "periods of"), ...length("Length of a period", item.every, put("every"))];
      case "last_event": return [event, ...span(item, redraw, ["within", "ever"])];
      default: return [...span(item, redraw, ["within", "ever"]), make("span", {}, "each at most"), ...length("Each at most", item.gap, put("gap")), make("span", {}, "after the one before")];
    }
  }
  function steps(item, redraw) {
    const lines = item.steps.map((step, at) => make("div", { class: "kw-row-line" }, make("span", { class: "text-secondary" }, at ? "then" : "first"), eventInput(`Event ${at + 1}`, step.event, (value) => { step.event = value; }, at ? {} : { "data-focus": `${item.id}-next` }), item.steps.length > 2 ? make("button", { class: "btn btn-sm btn-ghost-secondary", type: "button", "aria-label": `Remove event ${at + 1}`, onclick: () => { item.steps.splice(at, 1); redraw(); } }, "×") : null));
    return make("div", { class: "kw-row-more" }, ...lines, make("div", {}, make("button", { class: "btn btn-sm btn-ghost-secondary", type: "button", onclick: () => { item.steps.push({ event: "", where: [] }); redraw(); } }, "+ then")));
  }
  const segmentLine = (item) => {
    const select = make("select", { class: "form-select", "aria-label": "Segment", "data-focus": `${item.id}-next`, onchange: (event) => { item.segment = event.target.value; changed(); } }, make("option", { value: "" }, "Choose a segment"));
    const groups = new Map();
    for (const one of catalogue.segments) {
      if (!groups.has(one.group)) { groups.set(one.group, make("optgroup", { label: one.group })); select.append(groups.get(one.group)); }
      groups.get(one.group).append(make("option", { value: one.name, selected: one.name === item.segment }, one.label));
    }
    if (item.segment && !catalogue.segments.some((one) => one.name === item.segment)) select.append(make("option", { value: item.segment, selected: true }, item.segment));
    return [choose("In it or not", { true: "is in", false: "is not in" }, String(item.inside !== false), (value) => { item.inside = value === "true"; changed(); }), select];
  };

  function drawRow(item, above) {
    item.id ||= fresh("row");
    const box = make("div", { class: "kw-row", id: item.id, role: "group", "aria-label": shownOf(item) || "New condition" });
    const redraw = () => { const active = document.activeElement?.getAttribute("aria-label"); box.replaceWith(drawRow(item, above)); changed(); if (active) document.getElementById(item.id)?.querySelector(`[aria-label="${CSS.escape(active)}"]`)?.focus(); };
    const line = make("div", { class: "kw-row-line" }, pick(item, (key) => become(item, key)));
    if (item.row === "field") line.append(...fieldLine(item, redraw).filter(Boolean));
    if (item.row === "segment") line.append(...segmentLine(item));
    if (item.row === "did") line.append(...didLine(item, redraw).filter(Boolean));
    const remove = make("button", { class: "btn btn-sm btn-ghost-danger kw-row-remove", type: "button", "aria-label": `Remove ${shownOf(item) || "this condition"}`, title: "Remove", onclick: () => { above.items.splice(above.items.indexOf(item), 1); again(above.items.length ? above.items.at(-1).id : undefined); } }, "×");
    box.append(line, remove);
    if (item.row === "did") {
      if (item.what === "sequence") box.append(steps(item, redraw));
      else box.append(propertyTests("only events with a property", item.where, item, redraw));
      if (item.what === "last_event") box.append(make("div", { class: "kw-row-more text-secondary" }, "has"), propertyTests("it has a property", item.has, item, redraw));
    }
    box.append(make("div", { class: "invalid-feedback", "data-problem": true, role: "alert" }));
    return box;
  }
  function drawSet(item, above) {
    item.id ||= fresh("set");
    const add = (one) => { one.id = fresh("row"); item.items.push(one); again(one.id); };
    const head = make("div", { class: "kw-set-head" }, choose("How conditions are joined", SETS, item.set, (value) => { item.set = value; again(); }));
    if (above) head.append(make("button", { class: "btn btn-sm btn-ghost-danger kw-push", type: "button", "aria-label": "Remove this group", title: "Remove this group", onclick: () => { above.items.splice(above.items.indexOf(item), 1); again(); } }, "×"));
    const foot = make("div", { class: "kw-set-foot" },
      make("button", { class: "btn btn-sm", type: "button", "data-key": above ? undefined : "a", onclick: () => add({}) }, "+ Condition"),
      make("button", { class: "btn btn-sm btn-ghost-secondary", type: "button", onclick: () => { const set = { set: item.set === "all" ? "any" : "all", items: [{ id: fresh("row") }], id: fresh("set") }; item.items.push(set); again(set.items[0].id); } }, "+ Group"));
    return make("div", { class: `kw-set kw-set-${item.set}`, id: item.id, role: "group", "aria-label": SETS[item.set] }, head, ...item.items.map((one) => (one.set ? drawSet(one, item) : drawRow(one, item))), make("div", { class: "invalid-feedback", "data-problem": true, role: "alert" }), foot);
  }

  // --- What the server said ------------------------------------------------------------------------------------------------
  function tell() {
    const state = document.getElementById("preview-state");
    if (!state) return;
    const said = JSON.parse(state.textContent);
    if (form.elements.mode.value === "yaml") return;
    text.value = said.yaml;
    rowsBox.querySelectorAll("[data-problem]").forEach((place) => { place.textContent = ""; place.classList.remove("d-block"); place.parentElement.classList.remove("kw-row-bad"); });
    for (const problem of said.problems) {
      for (let end = problem.path.length; end > 0; end -= 1) {
        const item = places.get(problem.path.slice(0, end).join("/"));
        const box = item && document.getElementById(item.id);
        if (!box) continue;
        const place = box.querySelector(":scope > [data-problem]");
        place.textContent = problem.message;
        place.classList.add("d-block");
        if (item.row) box.classList.add("kw-row-bad");
        break;
      }
    }
    const open = unfinished(root);
    if (open && root.items.length) preview.append(make("div", { class: "card-footer text-secondary small" }, open === 1 ? "One condition is not finished and left out." : `${open} conditions are not finished and left out.`));
  }
  document.body.addEventListener("htmx:afterSettle", (event) => { if (event.target === preview) tell(); });

  // --- Rows or YAML ----------------------------------------------------------------------------------------------------------
  const notRows = form.querySelector("[data-not-rows]");
  function show(mode) {
    form.elements.mode.value = mode;
    rowsBox.hidden = mode !== "rows";
    yamlBox.hidden = mode !== "yaml";
    form.querySelectorAll("[data-mode]").forEach((button) => { const on = button.dataset.mode === mode; button.classList.toggle("active", on); button.setAttribute("aria-pressed", String(on)); });
  }
  async function toRows() {
    const body = new FormData();
    body.append("definition", text.value);
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const answer = await fetch(form.dataset.rows, { method: "POST", body, headers: { Accept: "application/json" } });
    const said = answer.ok ? await answer.json() : { tree: null, problem: "The workspace cannot be reached." };
    notRows.hidden = Boolean(said.tree);
    notRows.textContent = said.problem;
    if (!said.tree) return;
    root = fromTree(said.tree);
    show("rows");
    again();
  }
  form.querySelectorAll("[data-mode]").forEach((button) => button.addEventListener("click", () => {
    if (button.dataset.mode === form.elements.mode.value) return;
    if (button.dataset.mode === "rows") { toRows(); return; }
    show("yaml");
    text.focus();
    htmx.trigger(preview, "keepwell:drafted");
  }));
  text.addEventListener("input", () => { form.elements.asked.value = fresh("asked"); htmx.trigger(preview, "keepwell:drafted"); });
  form.addEventListener("submit", (event) => {
    if (form.elements.mode.value !== "rows" || !unfinished(root) || !root.items.length) return;
    const first = (item) => (item.set ? item.items.map(first).find(Boolean) : done(item) ? null : item);
    const box = document.getElementById(first(root).id), place = box.querySelector(":scope > [data-problem]");
    event.preventDefault();
    box.classList.add("kw-row-bad");
    place.textContent = "Finish this condition, or remove it.";
    place.classList.add("d-block");
    box.querySelector("input, select")?.focus();
  });

  document.addEventListener("DOMContentLoaded", () => {
    form.append(
      make("datalist", { id: "event-names" }, ...["*", ...catalogue.events].map((value) => make("option", { value }))),
      make("datalist", { id: "event-properties" }, ...["feature", "value", "person_id", "session_id"].map((value) => make("option", { value }))),
    );
    const tree = read("segment-tree");
    if (tree) root = fromTree(tree);
    rowsBox.replaceChildren(drawSet(root, null));
    changed();
  });
})();
