// Tells the page that shows this one in a frame how Link ended. A stand-in for Plaid's own script.
"use strict";
const ended = document.getElementById("ended");
if (ended && window.parent !== window) {
  const message = { standIn: "plaid", ...JSON.parse(document.getElementById("result").textContent) };
  window.parent.postMessage(message, ended.dataset.origin);
}
