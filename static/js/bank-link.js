// Opens Link where the page stands, and hands what it brings to the server: `done`, and the public token.
// Where Link cannot open, the form goes to the server as it is, which leads to the hosted page.
(() => {
  "use strict";

  const form = document.querySelector("form[data-bank-link]");
  if (!form || !window.Plaid) {
    return;
  }
  const button = form.querySelector("button");
  const problem = form.querySelector("[data-bank-link-problem]");
  // A bank that took the whole page sends the customer back with this; Link then goes on by itself.
  const cameBack = new URLSearchParams(window.location.search).has("oauth_state_id");

  const link = window.Plaid.create({
    token: form.dataset.linkToken,
    ...(cameBack ? { receivedRedirectUri: window.location.href } : {}),
    onSuccess(publicToken) {
      form.elements.public_token.value = publicToken || "";
      form.elements.done.value = "1";
      form.submit();
    },
    onExit(error) {
      button.disabled = false;
      if (error && error.error_code === "INVALID_LINK_TOKEN") {
        // The page's token is over; a new page brings a new one.
        window.location.replace(window.location.pathname);
        return;
      }
      problem.textContent = error && error.display_message ? error.display_message : "Nothing was linked. You can try again.";
      problem.hidden = false;
      button.focus();
    },
  });

  const open = () => {
    problem.hidden = true;
    button.disabled = true;
    link.open();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    open();
  });
  if (cameBack) {
    open();
  }
})();
