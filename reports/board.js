"use strict";
// Filters and sorting; their state is in the address, so that a view can be sent. Classes and scores never change.
(() => {
  const form = document.querySelector(".filters");
  const tables = [...document.querySelectorAll("table.board")];
  if (!form || !tables.length) return;
  const rows = [...document.querySelectorAll("tr.row")];
  const state = new URLSearchParams(location.hash.slice(1).includes("=") ? location.hash.slice(1) : "");
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
      const out = (find && !row.textContent.toLowerCase().includes(find))
        || (state.has("verified") && row.dataset.verified !== "1") || (state.has("admitted") && row.dataset.admitted !== "1");
      row.hidden = out;
      shown += out ? 0 : 1;
    }
    form.querySelector("output").value = shown === rows.length ? "" : `${shown} of ${rows.length} rows shown`;
  };
  const order = () => {
    const [column, way] = (state.get("sort") || "").split(":");
    const value = (row) => { const cell = row.cells[column]; return cell.dataset.sort ?? cell.textContent.trim(); };
    for (const table of tables) {
      const body = table.tBodies[0], own = [...body.rows];
      own.sort((a, b) => {
        if (!way || !a.cells[column]) return a.dataset.at - b.dataset.at;
        const x = value(a), y = value(b), n = parseFloat(x) - parseFloat(y);
        const by = Number.isNaN(n) ? x.localeCompare(y) : n;
        return (way === "down" ? -by : by) || a.dataset.at - b.dataset.at;
      });
      body.append(...own);
      [...table.tHead.rows[0].cells].forEach((cell, i) => {
        if (way && String(i) === column) cell.setAttribute("aria-sort", way === "down" ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      });
    }
  };
  for (const table of tables) [...table.tHead.rows[0].cells].forEach((cell, i) => {
    if (cell.classList.contains("wide")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const now = state.get("sort");
      if (now === `${i}:down`) state.set("sort", `${i}:up`); else if (now === `${i}:up`) state.delete("sort"); else state.set("sort", `${i}:down`);
      keep(); order();
    });
  });
  form.elements.q.value = state.get("q") || "";
  for (const name of ["verified", "admitted"]) form.elements[name].checked = state.has(name);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    for (const [name, on] of [["q", form.elements.q.value], ["verified", form.elements.verified.checked && "1"], ["admitted", form.elements.admitted.checked && "1"]])
      if (on) state.set(name, on); else state.delete(name);
    keep(); show();
  });
  show(); order();
})();
