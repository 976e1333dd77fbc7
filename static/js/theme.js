// Runs before the first paint: the reader's own choice of light or dark wins over the system's.
(function () {
  "use strict";
  try {
    var choice = localStorage.getItem("theme");
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  } catch (_) { /* storage may be refused; the system's setting then holds */ }
})();
