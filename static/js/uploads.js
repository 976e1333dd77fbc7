// Files of papers go in pieces (tus): each with its progress, going on by itself after a broken connection. Without
// this, or where the browser cannot, the form sends them in one piece.
const PIECE = 512 * 1024;
const AT_ONCE = 3;
const LASTS = 24 * 3600 * 1000;
const WAITS = [0, 1000, 2000, 4000, 8000, 15000];
const KEPT = "upload:";

function all(selector, within) {
  return Array.from(within.querySelectorAll(selector));
}

// --- Where an upload can be gone on with, kept on this device: an address, and no name of a file or a person
const memory = {
  async findAllUploads() { return []; },
  async findUploadsByFingerprint(key) {
    const kept = read(KEPT + key);
    return kept ? [{ ...kept, urlStorageKey: KEPT + key }] : [];
  },
  async removeUpload(key) {
    try { localStorage.removeItem(key); } catch (_) { /* it runs out by itself */ }
  },
  async addUpload(key, upload) {
    const kept = { uploadUrl: upload.uploadUrl, size: upload.size, creationTime: upload.creationTime };
    try { localStorage.setItem(KEPT + key, JSON.stringify(kept)); } catch (_) { /* holds for this page only */ }
    return KEPT + key;
  },
};
function read(key) {
  try { return JSON.parse(localStorage.getItem(key)); } catch (_) { return null; }
}
function forgetOld() {
  let keys = [];
  try { keys = Object.keys(localStorage).filter((key) => key.startsWith(KEPT)); } catch (_) { return; }
  keys.filter((key) => !(Date.parse(read(key)?.creationTime) > Date.now() - LASTS)).forEach(memory.removeUpload);
}
// Tells files with the same answers apart; nothing rests on its being hard to invert.
function digest(text) {
  let a = 0xdeadbeef, b = 0x41c6ce57;
  for (const letter of text) {
    a = Math.imul(a ^ letter.codePointAt(0), 2654435761);
    b = Math.imul(b ^ letter.codePointAt(0), 1597334677);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

// --- What stands at a file
function fieldOf(control) {
  return control.closest(".field");
}
function clearError(field) {
  all("[data-upload-error]", field).forEach((note) => note.remove());
  field.classList.remove("field--error");
  all("[aria-invalid]", field).forEach((control) => control.removeAttribute("aria-invalid"));
}
function showError(control, sentences) {
  const field = fieldOf(control);
  clearError(field);
  for (const sentence of sentences) {
    const note = document.getElementById("upload-error").content.firstElementChild.cloneNode(true);
    note.querySelector("[data-sentence]").textContent = sentence;
    const before = field.matches("fieldset") ? field.querySelector(".date-parts") : control;
    before.before(note);
  }
  field.classList.add("field--error");
  control.setAttribute("aria-invalid", "true");
  const folded = field.closest("details:not([open])");
  if (folded) folded.open = true;
}
function megabytes(bytes) {
  return (bytes / 1048576).toFixed(1) + " MB";
}

function begin(page) {
  const live = page.querySelector("[data-upload-live]");
  const inputs = all("input[type=file]", page);
  const most = Number(page.dataset.most);
  let taken = 0;
  const say = (text) => { live.textContent = text; };
  forgetOld();
  inputs.forEach((input) => slot(input, page, most));

  page.addEventListener("submit", async (event) => {
    const chosen = inputs.filter((input) => input.files.length && !input.closest("[data-shown-when][hidden]"));
    if (!chosen.length) return; // the server says what is missing
    event.preventDefault();
    if (page.dataset.busy) return;
    page.dataset.busy = "1";
    const send = page.querySelector("[data-upload-send]");
    send.setAttribute("aria-busy", "true");
    all(".field--error", page).forEach(clearError);
    const leave = (going) => going.preventDefault();
    window.addEventListener("beforeunload", leave);
    const files = chosen.map((input) => new Sending(input, page, say));
    const queue = [...files];
    const lines = Array.from({ length: AT_ONCE }, async () => {
      while (queue.length) await queue.shift().run();
    });
    await Promise.all(lines);
    window.removeEventListener("beforeunload", leave);
    delete page.dataset.busy;
    send.removeAttribute("aria-busy");
    taken += files.filter((file) => file.outcome === "taken").length;
    const refused = files.filter((file) => file.outcome === "refused");
    if (refused.length) {
      say(refused.length === 1 ? "One file could not be taken." : refused.length + " files could not be taken.");
      const first = page.querySelector("[aria-invalid]");
      if (first) first.focus();
    } else if (taken) {
      location.assign(page.dataset.done + "?here=" + taken);
    }
  });
}

// --- One place for a file: drop it there, or take a photo
function slot(input, page, most) {
  const field = fieldOf(input);
  const paper = input.closest("[data-paper]");
  const check = () => {
    clearError(field);
    const file = input.files[0];
    if (!file) return;
    if (file.size > most) showError(input, ["This file is larger than " + Math.floor(most / 1048576) + " MB. Save it smaller."]);
    else if (!file.size) showError(input, ["This file is empty. Choose it again, or take the photo again."]);
  };
  const put = (files) => {
    const one = new DataTransfer();
    one.items.add(files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  input.addEventListener("change", check);
  field.dataset.drop = "";
  field.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    field.dataset.drop = "over";
  });
  field.addEventListener("dragleave", () => { field.dataset.drop = ""; });
  field.addEventListener("drop", (event) => {
    field.dataset.drop = "";
    const files = Array.from(event.dataTransfer.files);
    if (!files.length || page.dataset.busy) return;
    event.preventDefault();
    put(files);
    // The second of two goes to the other side, where there is one.
    const other = all("input[type=file]", paper).find((row) => row !== input && !row.closest("[hidden]"));
    if (files.length > 1 && other) {
      const rest = new DataTransfer();
      rest.items.add(files[1]);
      other.files = rest.files;
      other.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  if (!input.dataset.camera || !matchMedia("(pointer: coarse)").matches) return;
  const camera = document.createElement("input");
  camera.type = "file";
  camera.accept = "image/*";
  camera.setAttribute("capture", input.dataset.camera);
  camera.addEventListener("change", () => { if (camera.files.length) put(camera.files); });
  const button = document.getElementById("upload-camera").content.firstElementChild.cloneNode(true);
  button.setAttribute("aria-describedby", input.id);
  button.addEventListener("click", () => camera.click());
  input.before(button);
}

// --- One file on its way
class Sending {
  constructor(input, page, say) {
    this.input = input;
    this.page = page;
    this.file = input.files[0];
    this.paper = input.closest("[data-paper]");
    this.announce = say;
    this.label = (fieldOf(input).querySelector("label")?.firstChild?.textContent || "File").trim();
    this.told = 0;
  }

  control(name) {
    const found = this.paper.querySelector("[name='" + CSS.escape((this.paper.dataset.prefix || "") + name) + "']");
    return found || this.paper.querySelector("[name='" + CSS.escape((this.paper.dataset.prefix || "") + name + "_month") + "']");
  }

  answer(name) {
    if (this.paper.dataset[name]) return this.paper.dataset[name];
    const control = this.control(name);
    if (!control) return "";
    if (control.type === "checkbox") return control.checked ? "true" : "";
    return control.value.trim();
  }

  // The date as it was typed; the server says what is wrong with it.
  date() {
    const prefix = (this.paper.dataset.prefix || "") + "expires_on_";
    const [month, day, year] = ["month", "day", "year"].map(
      (part) => this.paper.querySelector("[name='" + CSS.escape(prefix + part) + "']")?.value.trim() || "",
    );
    return month || day || year ? year.padStart(4, "0") + "-" + month.padStart(2, "0") + "-" + day.padStart(2, "0") : "";
  }

  metadata() {
    const found = {
      type: this.answer("type"),
      side: this.input.dataset.side || this.answer("side"),
      owner: this.answer("owner"),
      country: this.answer("country"),
      expires_on: this.date(),
      description: this.answer("description"),
      by_hand: this.answer("by_hand"),
    };
    return Object.fromEntries(Object.entries(found).filter(([, value]) => value));
  }

  run() {
    return new Promise((finish) => {
      this.end = (outcome) => {
        this.outcome = outcome;
        clearTimeout(this.timer);
        window.removeEventListener("online", this.again);
        if (outcome !== "taken") this.row.remove();
        finish();
      };
      this.draw();
      const metadata = this.metadata();
      const key = [this.page.dataset.uploads, this.file.size, this.file.lastModified, this.file.type, JSON.stringify(metadata)];
      this.again = () => { if (this.waits) this.go(); };
      window.addEventListener("online", this.again);
      this.upload = new window.tus.Upload(this.file, {
        endpoint: this.page.dataset.uploads,
        metadata,
        headers: { "X-CSRFToken": this.page.querySelector("[name=csrfmiddlewaretoken]").value },
        chunkSize: PIECE,
        retryDelays: WAITS,
        urlStorage: memory,
        fingerprint: async () => digest(key.join("|")),
        removeFingerprintOnSuccess: true,
        onShouldRetry: (error) => passing(error),
        onProgress: (sent, total) => this.progress(sent, total),
        onSuccess: () => this.settle(),
        onError: (error) => this.failed(error),
      });
      this.upload.findPreviousUploads().then((before) => {
        if (before.length) this.upload.resumeFromPreviousUpload(before[0]);
        this.go();
      });
    });
  }

  draw() {
    this.row = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
    const part = (name) => this.row.querySelector("[data-" + name + "]");
    [this.bar, this.said, this.pauseButton] = [part("bar"), part("said"), part("pause")];
    part("name").textContent = this.file.name;
    this.bar.setAttribute("aria-label", this.label + ", " + this.file.name);
    this.pauseButton.addEventListener("click", () => (this.paused ? this.go() : this.pause()));
    part("cancel").addEventListener("click", () => this.cancel());
    fieldOf(this.input).append(this.row);
  }

  go() {
    clearTimeout(this.timer);
    this.waits = this.paused = false;
    this.pauseButton.textContent = "Pause";
    this.upload.start();
  }

  pause() {
    this.upload.abort();
    clearTimeout(this.timer);
    this.paused = true;
    this.waits = false;
    this.pauseButton.textContent = "Continue";
    this.status("Paused");
  }

  cancel() {
    // What was sent is removed at once if we get through, and by itself after a day if we do not.
    this.upload.abort(true).catch(() => {});
    this.input.value = "";
    this.announce(this.label + ": cancelled.");
    this.end("cancelled");
  }

  status(text) {
    this.said.textContent = text;
    this.announce(this.label + ": " + text);
  }

  progress(sent, total) {
    const percent = Math.floor((100 * sent) / total);
    this.bar.value = percent;
    this.said.textContent = megabytes(sent) + " of " + megabytes(total);
    const quarter = Math.floor(percent / 25);
    if (quarter > this.told) {
      this.told = quarter;
      this.announce(this.label + ": " + percent + " %.");
    }
  }

  // Every byte is there: what became of the file is asked, also where the last answer was lost.
  async settle() {
    this.bar.value = 100;
    this.status("Checking");
    const url = this.upload.url;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const found = await answer.json();
          if (found.status === "taken") return this.taken();
          if (found.status === "refused") return this.refused(found.errors);
          const headers = {
            ...this.upload.options.headers,
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": String(found.offset),
            "Content-Type": "application/offset+octet-stream",
          };
          await fetch(url, { method: "PATCH", headers });
        } else if (answer.status < 500 && answer.status !== 429) {
          return this.refused([], "We do not know what became of this file. Load the page again to see whether it is here.");
        }
      } catch (_) { /* no connection: again in a while */ }
      await new Promise((next) => { setTimeout(next, WAITS[Math.min(attempt, WAITS.length - 1)] + 500); });
    }
  }

  taken() {
    this.status("Here");
    all("button", this.row).forEach((button) => button.remove());
    this.input.value = "";
    this.end("taken");
  }

  failed(error) {
    const response = error.originalResponse;
    if (passing(error)) {
      // The tries are used up; a connection may still come back.
      this.waits = true;
      this.status("No connection. This goes on by itself when it is back.");
      this.timer = setTimeout(() => this.go(), WAITS[WAITS.length - 1]);
      return;
    }
    let body = {};
    try { body = JSON.parse(response.getBody()); } catch (_) { /* no words came */ }
    const signedOut = [401, 403].includes(response?.getStatus());
    this.refused(body.errors || [], signedOut
      ? "You are signed out. Sign in again and choose this file: it goes on where it stopped."
      : body.detail || "This file cannot be taken.");
  }

  refused(errors, sentence) {
    const byControl = new Map();
    for (const { pointer, detail } of errors) {
      const name = pointer.replace(/^\//, "");
      const control = (!["file", "side"].includes(name) && this.control(name)) || this.input;
      byControl.set(control, [...(byControl.get(control) || []), detail]);
    }
    if (!byControl.size) byControl.set(this.input, [sentence]);
    byControl.forEach((sentences, control) => showError(control, sentences));
    this.end("refused");
  }
}

// Whether the same may work in a while: no answer at all, ours to mend, or bytes that belong elsewhere.
function passing(error) {
  const status = error.originalResponse ? error.originalResponse.getStatus() : 0;
  const isPiece = error.originalRequest?.getMethod() === "PATCH";
  return !status || status >= 500 || [423, 429].includes(status) || (status === 409 && isPiece);
}

const form = document.querySelector("form[data-uploads]");
if (form && window.tus && window.tus.isSupported) begin(form);
