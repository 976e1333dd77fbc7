// The list of cases and the page of a case, all day long: single keys, and what colleagues do meanwhile.
// Both pages work without this file.

const SECONDS = 10;
const LONGEST_PAUSE = 120;

function all(selector, within) {
  return Array.from((within || document).querySelectorAll(selector));
}

// --- What colleagues do: asked every few seconds with an ETag, so that mostly nothing comes back
function plain(element) {
  return element.textContent.trim().replace(/\s+/g, " ");
}
function say(words) {
  const place = document.querySelector("[data-live-words]");
  if (place && words.length) place.textContent = words.join(". ");
}
function renew(region, text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const words = [];
  for (const part of all("[data-live-part]", fresh)) {
    const old = region.querySelector("[data-live-part='" + CSS.escape(part.dataset.livePart) + "']");
    // Nothing is taken from under somebody's hands.
    if (!old || plain(old) === plain(part) || old.contains(document.activeElement)) continue;
    old.replaceChildren(...part.childNodes);
    if ("liveSay" in part.dataset && plain(old)) {
      words.push([part.dataset.liveSay, plain(old)].filter(Boolean).join(": "));
    }
  }
  say(words);
}
function live(region) {
  let etag = "";
  let pause = SECONDS;
  let timer = 0;
  let asking = false;
  const later = () => {
    clearTimeout(timer);
    if (pause) timer = setTimeout(ask, pause * 1000);
  };
  async function ask() {
    // A page nobody sees asks nothing.
    if (document.hidden || asking || !pause) return;
    asking = true;
    try {
      const answer = await fetch(region.dataset.live, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "manual" });
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") || "";
        renew(region, await answer.text());
      }
      // Signed out, or not theirs to see any more: it does not ask again.
      const over = answer.type === "opaqueredirect" || (answer.status >= 400 && answer.status < 500 && answer.status !== 429);
      pause = over ? 0 : answer.status < 400 ? SECONDS : Math.min(pause * 2, LONGEST_PAUSE);
    } catch (_) {
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
    asking = false;
    later();
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else ask();
  });
  if (region.dataset.leave) {
    window.addEventListener("pagehide", () => {
      const form = new FormData();
      form.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]")?.value || "");
      navigator.sendBeacon(region.dataset.leave, form);
    });
    window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
  }
  later();
}
all("[data-live]").forEach(live);

// --- Single keys: never while typing, and not at all when switched off
const help = document.querySelector("dialog[data-keys]");
const onOff = document.querySelector("[data-keys-on]");
let keysOn = true;
try { keysOn = localStorage.getItem("case-keys") !== "off"; } catch (_) { /* holds for this page only */ }
if (onOff) {
  onOff.checked = keysOn;
  onOff.addEventListener("change", () => {
    keysOn = onOff.checked;
    try { localStorage.setItem("case-keys", keysOn ? "on" : "off"); } catch (_) { /* holds for this page only */ }
  });
}
all("[data-keys-open]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
});

function typing(target) {
  return target.isContentEditable
    || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])");
}
function step(by) {
  const links = all("[data-row-link]");
  const at = links.indexOf(document.activeElement.closest("tr")?.querySelector("[data-row-link]"));
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
  if (next) {
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  }
}
function row() {
  return document.activeElement.closest("tr")?.querySelector("[data-row-link]");
}
function takeRow() {
  const link = row();
  const form = document.querySelector("form[data-take-row]");
  if (!link || !form) return;
  form.action = link.dataset.take;
  form.requestSubmit();
}
// What has a key in the page: a form is sent, a link followed, and of anything else the first field is focused.
function use(element) {
  if (element.matches("form")) element.querySelector("button[type=submit], button:not([type])").click();
  else if (element.matches("a, button")) element.click();
  else {
    all("details", element).slice(0, 1).forEach((folded) => { folded.open = true; });
    const field = element.matches("input, textarea, select")
      ? element : element.querySelector("input:not([type=hidden]):not(:disabled), textarea, select, button");
    (field || element).focus();
    (field || element).scrollIntoView({ block: "nearest" });
  }
}
document.addEventListener("keydown", (event) => {
  if (!keysOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help?.open) return;
  if (typing(event.target)) return;
  const inList = document.querySelector("[data-row-link]");
  const own = { j: () => step(1), k: () => step(-1), o: () => row()?.click(), a: takeRow, x: () => row()?.closest("tr").querySelector("[name=case]")?.click() };
  const back = document.querySelector("a.back-link");
  if (event.key === "?" && help) help.showModal();
  else if (event.key === "u" && back) back.click();
  else if (inList && own[event.key]) own[event.key]();
  else {
    const found = all("[data-key='" + CSS.escape(event.key) + "']").find((element) => element.offsetParent !== null);
    if (!found) return;
    use(found);
  }
  event.preventDefault();
});

// --- Names of colleagues, put into the note where the cursor stands
all("[data-mention]").forEach((item) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--secondary button--small";
  button.textContent = item.textContent;
  button.addEventListener("click", () => {
    const note = item.closest("form").querySelector("textarea");
    note.setRangeText("@" + item.dataset.mention + " ", note.selectionStart, note.selectionEnd, "end");
    note.focus();
  });
  item.replaceChildren(button);
});
