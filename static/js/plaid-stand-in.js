// Stands in for Plaid's script where the portal works with the sandbox: the same `Plaid.create`, a page of the sandbox
// in a frame.
(() => {
  "use strict";

  const home = document.currentScript.dataset.home;

  function create({ token, onSuccess, onExit }) {
    let dialog = null;

    const close = () => {
      window.removeEventListener("message", heard);
      dialog.remove();
      dialog = null;
    };
    const heard = (event) => {
      const frame = dialog && dialog.querySelector("iframe");
      const ours = frame && event.source === frame.contentWindow && event.origin === new URL(home).origin;
      if (!ours || !event.data || event.data.standIn !== "plaid") {
        return;
      }
      close();
      if (event.data.event === "success") {
        onSuccess(event.data.public_token, event.data.metadata);
      } else {
        onExit(null, event.data.metadata);
      }
    };

    return {
      open() {
        dialog = document.createElement("dialog");
        dialog.className = "bank-link-dialog";
        dialog.setAttribute("aria-label", "Link a bank, in a stand-in for Plaid");
        const frame = document.createElement("iframe");
        frame.title = "Link a bank, in a stand-in for Plaid";
        frame.src = `${home}/link/${encodeURIComponent(token)}?origin=${encodeURIComponent(window.location.origin)}`;
        dialog.append(frame);
        dialog.addEventListener("cancel", (event) => {
          event.preventDefault();
          close();
          onExit(null, {});
        });
        document.body.append(dialog);
        window.addEventListener("message", heard);
        dialog.showModal();
      },
      destroy() {
        if (dialog) {
          close();
        }
      },
    };
  }

  window.Plaid = { create };
})();
