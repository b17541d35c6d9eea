// What the pages gain where scripts run. Everything works without this file.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const said = (name) => document.body.dataset[name] ?? "";

// remember and recall survive browsers that refuse storage.
const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept */ } };

/* Toasts: ten seconds, longer while somebody points at them or tabs into them. */
const toastLife = 10_000;

function live(toast) {
  let left = toastLife, since = performance.now(), timer;
  const leave = () => { toast.classList.add("leaving"); setTimeout(() => toast.remove(), 250); };
  const run = () => { clearTimeout(timer); since = performance.now(); timer = setTimeout(leave, left); };
  const hold = () => { clearTimeout(timer); left = Math.max(2000, left - (performance.now() - since)); };
  for (const on of ["pointerenter", "focusin"]) toast.addEventListener(on, hold);
  for (const on of ["pointerleave", "focusout"]) toast.addEventListener(on, run);
  run();
}

function say(text) {
  const toast = $("#toast-template").content.firstElementChild.cloneNode(true);
  $("span", toast).textContent = text;
  // A modal dialog makes the rest of the page inert and silent.
  const shelf = $("dialog:modal .toasts") ?? shelfIn($("dialog:modal")) ?? $("#toasts");
  shelf.replaceChildren(toast);
  live(toast);
}

function shelfIn(dialog) {
  if (!dialog) return null;
  const shelf = document.createElement("div");
  shelf.className = "toasts";
  shelf.setAttribute("role", "status");
  dialog.append(shelf);
  return shelf;
}

// A live region speaks of what changes in it: what came with the page is put in
// once more.
for (const toast of $$("#toasts [data-toast]")) {
  const shelf = toast.parentElement;
  toast.remove();
  setTimeout(() => { shelf.append(toast); live(toast); }, 100);
}

/* Dialogs */
let returnTo = null;

function open(dialog, from) {
  if (!dialog || dialog.matches(":modal")) return;
  returnTo = from ?? document.activeElement;
  dialog.close();
  dialog.showModal();
}

function atClose(dialog) {
  $(".toasts", dialog)?.remove();
  const gone = $("[data-created]", dialog);
  if (gone || dialog.dataset.openNow !== undefined) {
    // A password was shown, or the address is the form's: neither may stay.
    delete dialog.dataset.openNow;
    gone?.replaceChildren();
    if (location.pathname !== dialog.dataset.home) history.replaceState(null, "", dialog.dataset.home);
    if (gone) freshForm();
  }
  // Not from who has gone on to something else since: this comes a moment later.
  const at = document.activeElement;
  if (returnTo?.isConnected && (!at || at === document.body || dialog.contains(at))) returnTo.focus();
  returnTo = null;
}

$$("dialog").forEach((dialog) => dialog.addEventListener("close", () => { if (!reopening) atClose(dialog); }));
let reopening = false;
const openNow = $("dialog[data-open-now]");
if (openNow) {
  reopening = true;
  open(openNow, $("[data-open=student]"));
  setTimeout(() => { reopening = false; });
}

// freshForm asks the server for an empty form with a key of its own.
async function freshForm(focus) {
  const body = $("#student-body");
  if (!body) return;
  try {
    const response = await fetch($("[data-open=student]").href, { headers: { "HX-Request": "true" } });
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const form = $("#student-form", page);
    if (!form) throw new Error("no form");
    body.replaceChildren(document.adoptNode(form));
    window.htmx?.process(body);
    if (focus) $("[autofocus]", body)?.focus();
  } catch {
    if (focus) location.assign($("[data-open=student]").href);
  }
}

// refreshStudents brings the list as the server has it now.
async function refreshStudents() {
  const list = $("#students");
  if (!list) return;
  // A page that is kept up to date is about to be told of its own change too.
  if (!document.dispatchEvent(new CustomEvent("live:expect", { cancelable: true }))) return;
  const home = $("#student").dataset.home;
  try {
    const response = await fetch(location.pathname === home ? location.href : home);
    if (!response.ok) throw new Error(response.status);
    const fresh = $("#students", new DOMParser().parseFromString(await response.text(), "text/html"));
    if (!fresh) throw new Error("no list");
    for (const kept of $$("[data-kept]", list)) $(`#${kept.id}`, fresh)?.replaceWith(kept);
    list.replaceWith(document.adoptNode(fresh));
    window.htmx?.process(fresh);
  } catch {
    say(said("offline"));
  }
}

async function generate(button) {
  const input = $("#password");
  try {
    const response = await fetch(button.dataset.generate, { headers: { Accept: "text/plain" }, cache: "no-store" });
    if (!response.ok) throw new Error(response.status);
    input.value = (await response.text()).trim();
    input.focus();
    input.select();
  } catch {
    say(said("offline"));
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(said("copied"));
  } catch {
    say(said("copyFailed"));
  }
}

function setTheme(theme) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=${theme ? 31536000 : 0}; SameSite=Lax${secure}`;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const b of $$("[data-theme-set]")) b.setAttribute("aria-pressed", String(b.dataset.themeSet === theme));
  dispatchEvent(new Event("theme:changed")); // a canvas does not follow by itself
}

function reveal(button) {
  const input = $("input", button.parentElement);
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

/* One listener for every button and link with a task. */
const tasks = {
  open(button, event) {
    const dialog = document.getElementById(button.dataset.open);
    if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    button.closest("[popover]")?.hidePopover();
    open(dialog, button.closest("[popover]") ? $("[popovertarget=person]") : button);
  },
  close(link, event) { event.preventDefault(); link.closest("dialog")?.close(); },
  another(link, event) { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); freshForm(true); } },
  copy(button) { copy(button.dataset.copy); button.closest("[popover]")?.hidePopover(); },
  copyFrom(button) { copy(document.getElementById(button.dataset.copyFrom).value); },
  generate(button, event) { event.preventDefault(); generate(button); },
  themeSet(button) { setTheme(button.dataset.themeSet); },
  reveal(button) { reveal(button); },
  print() { print(); },
};

document.addEventListener("click", (event) => {
  const target = event.target.closest("a, button");
  if (!target) return;
  for (const [name, task] of Object.entries(tasks)) if (name in target.dataset) task(target, event);
});

/* What unfolds over the page folds up again. */
const foldUp = (except) => $$("details[data-pop][open]").forEach((d) => { if (!d.contains(except)) d.open = false; });
document.addEventListener("pointerdown", (event) => foldUp(event.target));
document.addEventListener("keydown", (event) => {
  const pop = event.key === "Escape" && event.target.closest("details[data-pop][open]");
  if (!pop) return;
  pop.open = false;
  $("summary", pop).focus();
});

/* A form is sent once. */
const answeredIn = 25_000; // milliseconds: no answer takes longer

function busy(form, on) {
  for (const button of $$("button[type=submit]", form)) {
    button.setAttribute("aria-busy", String(on));
    // Disabled buttons are not sent, so this waits until the form has been read.
    setTimeout(() => { button.disabled = on; });
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "get" || form.method === "dialog") return;
  if (event.submitter?.formTarget) return; // into a frame of the page, which stays
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.sent = "1";
  busy(form, true);
  // Who has stopped the browser, or was answered in another window, is still here.
  setTimeout(() => unsend(form), answeredIn);
}, true);
document.addEventListener("input", (event) => unsend(event.target.form));

function unsend(form) {
  if (!form?.dataset?.sent) return;
  delete form.dataset.sent;
  busy(form, false);
}

// Back in the browser shows the page as it was left: its buttons must work.
addEventListener("pageshow", (event) => { if (event.persisted) $$("form[data-sent]").forEach(unsend); });

/* htmx: the answer to the form lands in the dialog, faults and all. */
document.addEventListener("htmx:after:request", (event) => unsend(event.target.closest?.("form")));
document.addEventListener("htmx:error", (event) => { unsend(event.target.closest?.("form")); say(said("offline")); });
document.addEventListener("htmx:after:swap", (event) => {
  const body = event.detail?.ctx?.target;
  if (body?.id !== "student-body") return;
  $("[aria-invalid=true], [data-created] h2", body)?.focus();
  if ($("[data-created]", body)) refreshStudents();
});
// Who reads on in the history or the ledger reads the past: the list no longer
// begins anew when something happens.
document.addEventListener("htmx:before:swap", (event) => {
  const target = event.detail?.ctx?.target;
  if (target?.dataset?.more !== undefined) delete target.closest("[data-live]")?.dataset.live;
});
// Only what was meant for a part of the page lands there: not the log-in page
// after a session has ended, nor a page about an error.
document.addEventListener("htmx:before:swap", (event) => {
  const answer = event.detail?.ctx?.response;
  if (!answer || (!answer.raw?.redirected && [200, 409, 422].includes(answer.status))) return;
  event.preventDefault();
  if (answer.raw?.redirected || answer.status === 401) location.reload();
  else say(said("failed"));
});

/* An order for many students, by list.js: what it did, and the one way back. */
document.addEventListener("bulk:done", ({ detail }) => {
  say(detail.summary);
  if (detail.undo?.length) $("#toasts [data-toast]")?.append(undoForm(detail));
  refreshStudents();
});
document.addEventListener("bulk:failed", () => { say(said("failed")); refreshStudents(); });
document.addEventListener("form:answered", ({ detail }) => unsend(detail));

function undoForm({ action, undo, undoLabel, back }) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  const fields = [["verb", "restore"], ["back", back], ...undo.map((id) => ["student", id])];
  for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  form.append(Object.assign(document.createElement("button"), { type: "submit", textContent: undoLabel }));
  return form;
}

/* Keys */
const shortcuts = $("[data-shortcuts]");
if (shortcuts) {
  shortcuts.checked = recall("shortcuts") !== "off";
  shortcuts.addEventListener("change", () => remember("shortcuts", shortcuts.checked ? "on" : "off"));
}

document.addEventListener("keydown", (event) => {
  if (!shortcuts?.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || $("dialog:modal")) return;
  // event.code finds the key whatever layout is on: т is n on a Russian keyboard.
  const byCode = !event.shiftKey && event.code === "KeyN";
  if (event.key === "?" || (event.shiftKey && event.code === "Slash")) open($("#help"));
  else if (byCode) $("[data-open=student]")?.click();
  else if (event.code === "Slash" || event.key === "/") $("#q")?.focus();
  else return;
  event.preventDefault();
});

/* The preview of a letter follows what is typed: its form is sent into the frame. */
// Each time into a new frame, whose first page adds nothing to the history of the
// browser: it takes the place of the one before when it is there.
const written = $("form[data-preview]");
let previews = 0;
function preview() {
  const all = () => $$(`iframe[id="${written.dataset.preview}"]`), button = $("[formtarget]", written);
  all().filter((frame) => frame.hidden).forEach((late) => late.remove());
  const [shown] = all(), next = shown.cloneNode();
  next.removeAttribute("src");
  next.hidden = true;
  next.name = button.formTarget = `${shown.id}-${++previews}`;
  shown.after(next);
  next.addEventListener("load", () => {
    shown.remove();
    next.hidden = false;
  }, { once: true });
  written.requestSubmit(button);
}
if (written) {
  let soon = 0;
  written.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(preview, 500);
  });
}
