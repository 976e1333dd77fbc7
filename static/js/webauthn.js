// Passkeys: the one thing on our pages that cannot work without JavaScript.
// A form says what it does: data-passkey="create" | "get" | "login"; the options lie in a JSON script element
// (data-passkey-options), or at the form's own address for "login". The answer goes into its `credential` field.
(() => {
  "use strict";

  const PROBLEMS = {
    NotAllowedError: "The passkey was not confirmed. Try again, or use another way to sign in.",
    InvalidStateError: "This device already has a passkey for your account.",
    SecurityError: "Passkeys work only at the portal's own address.",
  };

  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  async function create(form) {
    const options = read(form.dataset.passkeyOptions).creation_options;
    const passwordless = form.elements.passwordless;
    if (passwordless) {
      const selection = options.publicKey.authenticatorSelection;
      selection.residentKey = passwordless.checked ? "required" : "discouraged";
      selection.requireResidentKey = passwordless.checked;
      if (passwordless.checked) {
        selection.userVerification = "required";
      }
    }
    return window.webauthnJSON.create(options);
  }

  async function get(form) {
    return window.webauthnJSON.get(read(form.dataset.passkeyOptions).request_options);
  }

  async function login(form) {
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error("no options");
    }
    return window.webauthnJSON.get((await answer.json()).request_options);
  }

  const ceremonies = { create, get, login };

  function prepare(form) {
    const button = form.querySelector("[data-passkey-button]");
    const problem = form.querySelector("[data-passkey-problem]");
    button.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      problem.hidden = true;
      try {
        const credential = await ceremonies[form.dataset.passkey](form);
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      } catch (error) {
        problem.textContent = PROBLEMS[error.name] || "The passkey could not be used. Try again in a moment.";
        problem.hidden = false;
        button.disabled = false;
      }
    });
  }

  if (window.webauthnJSON && window.webauthnJSON.supported()) {
    document.querySelectorAll("form[data-passkey]").forEach(prepare);
  }
})();
