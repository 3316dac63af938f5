(function () {
  var root = document.documentElement, button = document.getElementById("theme"), dark = matchMedia("(prefers-color-scheme: dark)");
  function kept() { try { return localStorage.getItem("ratf-theme"); } catch (e) { return null; } }
  function now() { return root.dataset.theme || (dark.matches ? "dark" : "light"); }
  function show() { button.textContent = now() === "dark" ? "Light colours" : "Dark colours"; }
  if (kept() === "dark" || kept() === "light") root.dataset.theme = kept();
  button.hidden = false;
  button.addEventListener("click", function () {
    root.dataset.theme = now() === "dark" ? "light" : "dark";
    try { localStorage.setItem("ratf-theme", root.dataset.theme); } catch (e) { /* not kept, then */ }
    show();
  });
  dark.addEventListener("change", show);
  show();
})();
