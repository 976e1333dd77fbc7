// Keeps what is typed into a step while it is typed: form[data-autosave=address]. The page works the same without it.
const PAUSE = 1500; // after the last key
const AT_LEAST = 4000; // between two requests
const LONGEST_WAIT = 60000;
const OFFLINE = "You are offline. What you typed is still on this page. We save it when you are connected again.";
const TRYING = "Not saved just now. What you typed is still on this page, and we try again.";
const SIGNED_OUT = "You are signed out. Open this page again to sign in; what was saved by then is there.";

function keep(form) {
  const shown = form.querySelector("[data-autosave-shown]");
  const said = form.querySelector("[data-autosave-said]");
  const filled = new Set();
  let kept = "", timer = 0, due = 0, last = 0, failures = 0, busy = false, over = false, mood = "";

  form.elements.writer.value = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

  // A sensitive field that was filled here and emptied again is meant empty; one empty from the start keeps what was there.
  function emptied() {
    const secrets = new Map();
    form.querySelectorAll("[data-secret]").forEach((input) => {
      secrets.set(input.dataset.secret, (secrets.get(input.dataset.secret) || "") + input.value);
    });
    form.querySelectorAll("input[name=forget]").forEach((input) => input.remove());
    secrets.forEach((value, name) => {
      if (value) filled.add(name);
      else if (filled.has(name)) {
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name: "forget", value: name });
        form.append(input);
      }
    });
  }
  function body() {
    emptied();
    return new URLSearchParams(new FormData(form)).toString();
  }
  // Everybody may read the line; it is read out only when the matter changes, not at every save.
  function tell(kind, words) {
    shown.textContent = words;
    if (mood !== kind) said.textContent = kind === "saved" ? "What you type is saved." : words;
    mood = kind;
  }
  function later(wait) {
    if (over) return;
    const at = Date.now() + wait;
    if (timer && due <= at) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => { timer = 0; send(false); }, wait);
  }
  function retry() {
    failures += 1;
    later(Math.min(AT_LEAST * 2 ** failures, LONGEST_WAIT));
  }
  async function send(leaving) {
    const typed = body();
    if (over || typed === kept || (busy && !leaving)) return;
    const wait = last + AT_LEAST - Date.now();
    if (wait > 0 && !leaving) { later(wait); return; }
    if (!navigator.onLine) { tell("offline", OFFLINE); return; }
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: typed, redirect: "manual", keepalive: true, credentials: "same-origin",
        headers: { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" },
      });
      busy = false;
      await settled(answer, typed);
    } catch (_) {
      busy = false;
      tell(navigator.onLine ? "trying" : "offline", navigator.onLine ? TRYING : OFFLINE);
      retry();
    }
  }
  async function settled(answer, typed) {
    if (over) return;
    if (answer.ok) {
      kept = typed;
      failures = 0;
      tell("saved", "Saved " + new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
      if (body() !== kept) later(PAUSE);
    } else if (answer.status === 429 || answer.status >= 500) {
      tell("trying", TRYING);
      retry();
    } else if (answer.type === "opaqueredirect" || answer.status === 403) {
      over = true;
      tell("out", SIGNED_OUT);
    } else {
      const words = (await answer.json().catch(() => ({}))).said;
      // What cannot be kept may be typed anew; a step that moved on elsewhere is for its person to settle.
      over = answer.status !== 422;
      kept = typed;
      tell("refused", words || TRYING);
    }
  }

  kept = form.hasAttribute("data-autosave-now") ? "" : body();
  form.addEventListener("input", () => { clearTimeout(timer); timer = 0; later(PAUSE); });
  form.addEventListener("change", () => later(100));
  form.addEventListener("focusout", () => later(100));
  form.addEventListener("submit", (event) => {
    emptied();
    if (!event.defaultPrevented) over = true;
  });
  window.addEventListener("online", () => { last = 0; send(false); });
  window.addEventListener("offline", () => { if (!over && body() !== kept) tell("offline", OFFLINE); });
  window.addEventListener("pagehide", () => send(true));
  document.addEventListener("visibilitychange", () => { if (document.hidden) send(true); });
  // Taken back from the browser's memory: it is typed in again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) over = false; });
  if (!kept) later(PAUSE);
}

document.querySelectorAll("form[data-autosave]").forEach(keep);
