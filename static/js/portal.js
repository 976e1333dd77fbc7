// Small helps on top of pages that work without them. No inline code, no eval: the page's policy allows neither.
const root = document.documentElement;

function all(selector, within) {
  return Array.from((within || document).querySelectorAll(selector));
}

// --- Light and dark
function dark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
function themeToggles() {
  all("[data-theme-toggle]").forEach((button) => {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(dark()));
    button.addEventListener("click", () => {
      const next = dark() ? "light" : "dark";
      root.dataset.theme = next;
      try { localStorage.setItem("theme", next); } catch (_) { /* holds for this page only */ }
      all("[data-theme-toggle]").forEach((other) => other.setAttribute("aria-pressed", String(next === "dark")));
    });
  });
}

// --- Error summary: read first, and its links put the cursor into the field
function errorSummaries(within) {
  const summary = all("[data-error-summary]", within)[0];
  if (!summary) return;
  if (!document.title.startsWith("Error: ")) document.title = "Error: " + document.title;
  summary.focus();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  if (!link) return;
  const control = document.getElementById(link.hash.slice(1));
  if (!control) return;
  event.preventDefault();
  (control.closest(".field") || control).scrollIntoView({ block: "center" });
  control.focus({ preventScroll: true });
});

// --- A form sent once
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]") || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  const button = event.submitter;
  if (button) button.setAttribute("aria-busy", "true");
});
// A page taken back from the browser's memory may be sent again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  all("form[data-once]").forEach((form) => delete form.dataset.sent);
  all("[aria-busy]").forEach((waiting) => waiting.removeAttribute("aria-busy"));
});

// --- Copy
function copyButtons(within) {
  if (!navigator.clipboard) return;
  all("[data-copy]", within).forEach((button) => { button.hidden = false; });
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch (_) {
    return;
  }
  button.dataset.copied = "";
  say("Copied", "success");
  setTimeout(() => delete button.dataset.copied, 1500);
});

// --- Fields shown only when another says so: data-shown-when="name=value|value"; a box without its tick is empty
function answers(form, name) {
  return all("[name='" + CSS.escape(name) + "']", form)
    // What is not asked itself is not answered, whatever it still holds.
    .filter((input) => (input.type === "radio" ? input.checked : true) && !input.closest("[data-shown-when][hidden]"))
    .flatMap((input) => (input.multiple && input.selectedOptions
      ? Array.from(input.selectedOptions, (option) => option.value)
      : [input.type === "checkbox" && !input.checked ? "" : input.value]));
}
function reveal(form) {
  all("[data-shown-when]", form).forEach((wrapper) => {
    const [name, values] = wrapper.dataset.shownWhen.split(/=(.*)/s);
    const wanted = values.split("|");
    wrapper.hidden = !answers(form, name).some((value) => wanted.includes(value));
  });
  // A heading over nothing is no heading.
  all(".section", form).forEach((section) => {
    const fields = all(".field", section);
    section.hidden = fields.length > 0 && fields.every((field) => field.hidden);
  });
}
function reveals(within) {
  new Set(all("[data-shown-when]", within).map((wrapper) => wrapper.closest("form")).filter(Boolean)).forEach(reveal);
}
document.addEventListener("change", (event) => {
  if (event.target.form) reveal(event.target.form);
});
// Going back, the browser restores what was chosen without saying so.
window.addEventListener("pageshow", () => reveals(document));

// --- Passwords that can be looked at
function passwords(within) {
  all("[data-password]", within).forEach((box) => {
    if (box.querySelector(".password__toggle")) return;
    const input = box.querySelector("input");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "password__toggle";
    button.textContent = "Show";
    button.setAttribute("aria-label", "Show the password");
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => {
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      button.textContent = show ? "Hide" : "Show";
      button.setAttribute("aria-label", show ? "Hide the password" : "Show the password");
    });
    box.append(button);
    input.form?.addEventListener("submit", () => { input.type = "password"; });
  });
}

// --- Toasts: errors stay until closed, the rest go after a while unless looked at
function toasts(within) {
  all("[data-toast]", within).forEach((toast) => {
    if (toast.dataset.toast) return;
    toast.dataset.toast = "shown";
    const close = toast.querySelector("[data-toast-close]");
    if (close) {
      close.hidden = false;
      close.addEventListener("click", () => toast.remove());
    }
    if (toast.matches(".tone-danger, .tone-warning")) return;
    const later = () => setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) later();
      else toast.remove();
    }, 8000);
    later();
  });
}
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", document.getElementById("toasts").dataset.icons + "#" + name);
  svg.append(use);
  return svg;
}
const TONE_ICONS = { info: "info", success: "circle-check", warning: "triangle-alert", danger: "circle-alert" };
function say(text, tone) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const known = tone in TONE_ICONS ? tone : "info";
  const toast = document.createElement("div");
  toast.className = "toast tone-" + known;
  toast.dataset.toast = "";
  const words = document.createElement("div");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast__close";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", "Close this message");
  close.append(icon("x"));
  toast.append(icon(TONE_ICONS[known]), words, close);
  region.append(toast);
  toasts(region);
}
// HX-Trigger: {"toast": {"text": "Saved.", "tone": "success"}}
document.addEventListener("toast", (event) => {
  if (event.detail && event.detail.text) say(event.detail.text, event.detail.tone);
});
// What a person asked for and did not get is said; a page that only looks again by itself stays quiet.
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (!event.detail.requestConfig?.triggeringEvent) return;
    say("That did not work. Check your connection and try again.", "danger");
  });
}

// --- Menus close on Escape and on a click elsewhere
document.addEventListener("click", (event) => {
  all("details[data-menu][open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  all("details[data-menu][open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// --- A list that is being fetched anew says so
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.filters__body, form.search")) return;
  all("main .table-wrap").forEach((table) => table.setAttribute("aria-busy", "true"));
});

// --- On a phone, filters nobody has set stay folded until asked for
if (!location.search && matchMedia("(max-width: 47.99em)").matches) {
  all("details[data-filters]").forEach((panel) => { panel.open = false; });
}

// --- Time left, in the words of the server (onboarding/views/identity.py): data-countdown="seconds when it was sent".
// Not announced: it stands in the text for whoever reads it. When it is over the page is asked again.
function timeLeft(seconds) {
  const minutes = Math.floor(seconds / 60);
  const sizes = [[Math.floor(minutes / 1440), "day"], [Math.floor((minutes % 1440) / 60), "hour"], [minutes % 60, "minute"]];
  const first = sizes.findIndex(([number]) => number > 0);
  if (first < 0) return "less than a minute";
  return sizes.slice(first, first + 2).filter(([number]) => number)
    .map(([number, unit]) => number + " " + unit + (number === 1 ? "" : "s")).join(" and ");
}
function countdowns(within) {
  all("[data-countdown]", within).forEach((place) => {
    // By the time since the page came: the clock of a phone may be wrong.
    const end = performance.now() + Number(place.dataset.countdown) * 1000;
    const tick = setInterval(() => {
      const left = Math.floor((end - performance.now()) / 1000);
      if (!place.isConnected) clearInterval(tick);
      else if (left < -2) {
        clearInterval(tick);
        location.reload();
      } else {
        const words = timeLeft(Math.max(left, 0));
        if (place.textContent !== words) place.textContent = words;
      }
    }, 1000);
  });
}

// --- Revealed values are masked again when their time is over, also on a page nobody reloads
function remask(place) {
  const value = place.querySelector("[data-remask-value]");
  value.textContent = value.dataset.mask;
  all("[data-remask-gone]", place).forEach((part) => part.remove());
  all("[data-remask-back]", place).forEach((part) => { part.hidden = false; });
  delete place.dataset.remask;
}
function remasks(within) {
  all("[data-remask]", within).forEach((place) => {
    // By the time since the page came: the clock of a computer may be wrong. Looked at each second, not once at the
    // end: a computer that slept, or a page that comes back from the browser's memory, is late at most a second.
    const end = performance.now() + Number(place.dataset.remask) * 1000;
    const wall = Date.now() + Number(place.dataset.remask) * 1000;
    const tick = setInterval(() => {
      const over = performance.now() >= end || Date.now() >= wall;
      if (over) remask(place);
      if (over || !place.isConnected) clearInterval(tick);
    }, 1000);
  });
}

function enhance(within) {
  countdowns(within);
  remasks(within);
  copyButtons(within);
  reveals(within);
  passwords(within);
  toasts(within);
}
themeToggles();
enhance(document);
errorSummaries(document);
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt === document.body) return;
  enhance(event.detail.elt);
  errorSummaries(event.detail.elt);
});
