"use strict";
// Filters and sorting; their state is in the address, so that a view can be sent. Classes and scores never change.
(() => {
  const form = document.querySelector(".filters");
  const tables = [...document.querySelectorAll("table.board")];
  if (!form || !tables.length) return;
  const rows = [...document.querySelectorAll("tr.row")];
  const folds = [...document.querySelectorAll("details.more")].filter((fold) => fold.querySelector("tr.row"));
  const sections = [...document.querySelectorAll("main > section")].filter((section) => section.querySelector("tr.row"));
  const nothing = document.querySelector(".nothing");
  const said = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  let state = said();
  form.hidden = false;
  rows.forEach((row, i) => { row.dataset.at = i; });
  const keep = () => {
    const text = state.toString();
    try { history.replaceState(null, "", text ? "#" + text : location.pathname + location.search); } catch { location.hash = text; }
  };
  const show = () => {
    const find = (state.get("q") || "").toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const out = (find && !`${row.textContent} ${row.dataset.find}`.toLowerCase().includes(find))
        || (state.has("verified") && row.dataset.verified !== "1") || (state.has("admitted") && row.dataset.admitted !== "1");
      row.hidden = out;
      shown += out ? 0 : 1;
    }
    const filtered = shown < rows.length;
    for (const part of document.querySelectorAll(".of-metric")) part.hidden = !part.querySelector("tr.row:not([hidden])");
    for (const section of sections) section.hidden = !section.querySelector("tr.row:not([hidden])");
    nothing.hidden = shown > 0;
    for (const fold of folds) {
      fold.hidden = !fold.querySelector("tr.row:not([hidden])");
      if (filtered && !fold.hidden && !fold.open) fold.open = fold.dataset.opened = true;
      else if (!filtered && fold.dataset.opened) { fold.open = false; delete fold.dataset.opened; }
    }
    form.querySelector("output").value = filtered ? `${shown} of ${rows.length} rows shown` : "";
  };
  const order = () => {
    const [column, way] = (state.get("sort") || "").split(":");
    for (const table of tables) {
      const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], at = heads.findIndex((head) => head.dataset.key === column);
      const value = (row) => row.cells[at].dataset.sort ?? row.cells[at].textContent.trim();
      body.append(...[...body.rows].sort((a, b) => {
        if (!way || at < 0) return a.dataset.at - b.dataset.at;
        const x = value(a), y = value(b), n = parseFloat(x) - parseFloat(y);
        const by = Number.isNaN(n) ? x.localeCompare(y) : n;
        return (way === "down" ? -by : by) || a.dataset.at - b.dataset.at;
      }));
      heads.forEach((head, i) => {
        if (way && i === at) head.setAttribute("aria-sort", way === "down" ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
    }
  };
  for (const table of tables) for (const head of table.tHead.rows[0].cells) {
    const key = head.dataset.key;
    if (!key) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const now = state.get("sort");
      if (now === `${key}:down`) state.set("sort", `${key}:up`); else if (now === `${key}:up`) state.delete("sort"); else state.set("sort", `${key}:down`);
      keep(); order();
    });
  }
  const all = () => {
    form.elements.q.value = state.get("q") || "";
    for (const name of ["verified", "admitted"]) form.elements[name].checked = state.has(name);
    show(); order();
  };
  nothing.querySelector("button").addEventListener("click", () => {
    for (const name of ["q", "verified", "admitted"]) state.delete(name);
    keep(); all();
    form.elements.q.focus();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    for (const [name, on] of [["q", form.elements.q.value], ["verified", form.elements.verified.checked && "1"], ["admitted", form.elements.admitted.checked && "1"]])
      if (on) state.set(name, on); else state.delete(name);
    keep(); show();
  });
  addEventListener("hashchange", () => { if (!location.hash || location.hash.includes("=")) { state = said(); all(); } });
  all();
})();
