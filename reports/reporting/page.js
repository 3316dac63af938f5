"use strict";
// Finds, filters, orders, compares and exports the questions. Without it the page reads the same, without the controls.
// Text of the page is only ever set as text. The state is in the address: #?search=…&filter=…, or #q-… for one question.
(() => {
  const section = document.getElementById("questions");
  const list = section.querySelector(".list"), form = section.querySelector("form");
  const data = JSON.parse(document.getElementById("results").textContent);
  const items = [...list.children], fields = form.elements, boxes = [...form.querySelectorAll("[name=filter]")];
  const kept = ["search", "interview", "topic", "sort"].filter((name) => name in fields);
  const interviews = new Map(data.interviews.map(([place, [id]]) => [id, String(place)]));
  const make = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);
  const fold = (text) => text.toLowerCase().replace(/[\u2018\u2019\u02bc]/g, "'").replace(/\s+/g, " ").trim();
  const plain = new Map();
  const textOf = (item) => { // as it was before anything was compared
    if (!plain.has(item)) plain.set(item, fold(item.textContent));
    return plain.get(item);
  };

  const show = () => {
    const find = fold(fields.search.value), place = interviews.get(fields.interview.value);
    const topic = fields.topic?.value, wanted = boxes.filter((box) => box.checked).map((box) => box.value);
    let shown = 0;
    for (const item of items) {
      const flags = (item.dataset.flags || "").split(" ");
      item.hidden = (place !== undefined && item.dataset.i !== place) || (topic && item.dataset.t !== topic) || !wanted.every((flag) => flags.includes(flag))
        || (find !== "" && !textOf(item).includes(find));
      if (!item.hidden) shown += 1;
    }
    form.querySelector("output").value = `${shown} of ${items.length} questions shown`;
  };

  const order = () => {
    const by = fields.sort.value, sign = by === "up" || by === "oldest" ? 1 : -1;
    const dates = by === "newest" || by === "oldest";
    const key = (item) => {
      if (dates) return item.querySelector("time")?.textContent;
      const shown = item.querySelector(":scope > b, summary b")?.textContent.replace("−", "-");
      return shown === undefined || Number.isNaN(Number(shown)) ? undefined : Number(shown);
    };
    const keyed = items.map((item, at) => ({ item, at, key: by ? key(item) : undefined }));
    keyed.sort((a, b) => { // what has no number or date comes last
      if (a.key === b.key) return a.at - b.at;
      if (a.key === undefined || b.key === undefined) return a.key === undefined ? 1 : -1;
      return a.key < b.key ? -sign : sign;
    });
    list.append(...keyed.map((one) => one.item));
  };

  const keep = () => {
    const state = new URLSearchParams();
    for (const name of kept) if (fields[name].value) state.set(name, fields[name].value);
    const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
    if (wanted.length) state.set("filter", wanted.join(","));
    const hash = state.toString() ? `#?${state}` : "#";
    try { history.replaceState(null, "", hash); } catch { location.hash = hash; }
  };

  const restore = () => {
    const state = new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
    for (const name of kept) {
      fields[name].value = state.get(name) || "";
      if (fields[name].selectedIndex < 0) fields[name].value = ""; // an option that is not there
    }
    const wanted = (state.get("filter") || "").split(",");
    for (const box of boxes) box.checked = wanted.includes(box.value);
  };

  const go = () => { // to what the address names
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* a lone %: as it is */ }
    const item = id.startsWith("q-") && items.find((one) => one.id === id), part = section.closest("details");
    if (part && (item || location.hash.startsWith("#?"))) part.open = true;
    if (!item) { restore(); order(); show(); return; }
    if (item.hidden) form.reset();
    show();
    const away = list.classList.contains("index") && item.querySelector("a");
    if (away) { location.replace(away.href); return; }
    item.open = true;
    item.scrollIntoView();
    item.querySelector("summary").focus({ preventScroll: true });
  };

  // Word by word, by the longest common subsequence.
  const words = (text) => text.match(/\S+\s*/g) || [];
  const bare = (word) => fold(word).replace(/[^\p{L}\p{N}']+/gu, "") || word.trim();
  const CELLS = 9e6;
  const differences = (from, to) => {
    const a = words(from), b = words(to), x = a.map(bare), y = b.map(bare), wide = b.length + 1;
    if ((a.length + 1) * wide > CELLS) return null;
    const long = new Uint16Array((a.length + 1) * wide);
    for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--)
      long[i * wide + j] = x[i] === y[j] ? long[(i + 1) * wide + j + 1] + 1 : Math.max(long[(i + 1) * wide + j], long[i * wide + j + 1]);
    const runs = [], gone = [], come = [];
    const flush = () => {
      for (const [kind, run] of [["del", gone], ["ins", come]]) if (run.length) runs.push([kind, run.splice(0).join("")]);
    };
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
      const from = j;
      while (i + j - from < a.length && j < b.length && x[i + j - from] === y[j]) j++;
      const same = j - from;
      if (same > 1 || (same && i + same === a.length && j === b.length)) { flush(); runs.push(["", b.slice(from, j).join("")]); i += same; }
      else if (same) { gone.push(a[i++]); come.push(b[from]); } // one word alone is chance
      else if (j >= b.length || (i < a.length && long[(i + 1) * wide + j] >= long[i * wide + j + 1])) gone.push(a[i++]);
      else come.push(b[j++]);
    }
    flush();
    return runs;
  };
  const compared = (real, text) => {
    const made = make("p", "", { className: "d" }), runs = differences(real, text);
    if (!runs) made.textContent = "The answer is too long to compare here.";
    else for (const [kind, run] of runs) made.append(kind ? make(kind, run.trimEnd()) : run.trimEnd(), " ");
    return made;
  };

  // The classifier's words and n-grams, in the part of the answer that it reads.
  const LETTER = "[\\p{L}\\p{N}]";
  const pattern = ([kind, text]) => {
    const letters = [...text].map((c) => c === " " ? `(?:(?!${LETTER}|['’‘ʼ]).)+` : c === "'" ? "['’‘ʼ]" : c.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&")).join("");
    return kind === "word" ? `(?<!${LETTER}|['’‘ʼ])${letters}(?!${LETTER}|['’‘ʼ]${LETTER})` : letters;
  };
  const telling = [...(data.evidence || [])].sort((a, b) => b[1].length - a[1].length);
  const search = telling.length ? new RegExp(telling.map((e) => `(${pattern(e)})`).join("|"), "gisu") : null;
  const marked = (text) => {
    const made = make("p", "", {}), read = words(text).slice(0, data.words).join("");
    let at = 0;
    for (const found of read.matchAll(search)) {
      const [, , weight] = telling[found.slice(1).findIndex((group) => group !== undefined)];
      const side = weight > 0 ? "for" : "against";
      made.append(read.slice(at, found.index), make("mark", found[0], { className: side, title: `${side}: ${weight}` }));
      at = found.index + found[0].length;
    }
    made.append(text.slice(at));
    return made;
  };

  const toggle = (article, label, key, build) => {
    const own = article.querySelector("p"), button = make("button", label, { type: "button" });
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "false";
      for (const other of article.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
      for (const old of article.querySelectorAll(".made, .key-of")) old.remove();
      own.hidden = on;
      article.classList.toggle("wide", on);
      if (!on) return;
      button.setAttribute("aria-pressed", "true");
      const made = build(own.textContent);
      made.classList.add("made");
      own.after(made, make("p", key, { className: "s key-of" }));
    });
    article.append(button);
  };
  const equip = (item) => { // a question's own buttons, when it is first opened
    if (item.dataset.ready) return;
    textOf(item);
    item.dataset.ready = "1";
    const real = item.querySelector(".real p").textContent;
    for (const article of item.querySelectorAll(".as > div:not(.c)")) {
      toggle(article, "Compare with the real answer", "Underlined: only here. Struck out: only in the real answer.", (text) => compared(real, text));
      if (search) toggle(article, "Mark style", "Solid: typical of the person, among the words that the classifier reads. Dashed: not typical.", marked);
    }
    for (const link of item.querySelectorAll(".m li > a")) { // from the list of sources at the end
      const source = document.getElementById(link.hash.slice(1));
      if (source) link.replaceWith(...[...source.childNodes].map((node) => node.cloneNode(true)));
    }
    for (const scores of item.querySelectorAll(".t")) { // names beside their numbers
      scores.textContent = scores.textContent.split(" · ").map((score, at) => `${data.shown[at]} ${score}`).join(" · ");
      scores.className = "s";
    }
    const copy = make("button", "Copy link", { type: "button" }), link = item.querySelector(".l");
    copy.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(link.href); copy.textContent = "Copied"; }
      catch { location.hash = link.hash; copy.textContent = "The link is in the address bar"; }
    });
    link.after(" ", copy);
  };

  const csv = () => {
    const quote = (value) => {
      const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const why = new Map(data.unscored.flatMap(([arm, metric, reason, places]) => places.map((at) => [`${arm}\n${metric}\n${at}`, reason])));
    const ids = new Map(data.interviews.map(([place, [id]]) => [place, id]));
    const rows = [["suite", "person", "interview", "question", "arm", "kind", "metric", "family", "value", "unscored", "model", "seed"]];
    data.questions.forEach(([id, place], at) => {
      for (const arm in data.scores) for (const metric in data.scores[arm]) {
        const score = data.scores[arm][metric][at], reason = why.get(`${arm}\n${metric}\n${at}`);
        if (score !== null || reason !== undefined)
          rows.push([data.suite, data.person, ids.get(place), id, arm, data.arms[arm], metric, data.metrics[metric] || "",
            score === null ? "" : score / 10 ** data.digits, reason || "", data.models[arm], data.seed]);
      }
    });
    const url = URL.createObjectURL(new Blob([rows.map((row) => row.map(quote).join(",")).join("\n") + "\n"], { type: "text/csv" }));
    make("a", "", { href: url, download: "scores.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };

  for (const [, [id, title]] of data.interviews) fields.interview.append(make("option", (title || id).slice(0, 80), { value: id }));
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { keep(); order(); show(); });
  fields.expand?.addEventListener("click", () => { for (const item of items) if (!item.hidden) item.open = true; });
  fields.collapse?.addEventListener("click", () => { for (const item of items) item.open = false; });
  fields.csv?.addEventListener("click", csv);
  list.addEventListener("toggle", (event) => { if (event.target.open && items.includes(event.target)) equip(event.target); }, true);
  for (const item of items) if (item.open) equip(item);
  addEventListener("hashchange", go);
  order();
  go();
  if (location.hash.startsWith("#?")) section.scrollIntoView();
})();
