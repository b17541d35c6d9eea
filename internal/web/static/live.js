// Keeps the blocks of a page, elements with data-live="name", as the server has
// them: the stream names those that have changed, and the page's own address is
// fetched again for them. Focus, scrolling, selection and what is open stay.

const sign = document.querySelector("[data-events]");
const retryFirst = 2000, retryLast = 30_000; // milliseconds between tries
const silence = 50_000; // two heartbeats and a half
const hiddenFor = 30_000; // browsers have few connections to spare for windows nobody sees

/* What is on the screen */
const stale = new Set();
let planned = 0, running = false, retry = retryFirst, expected = 0, told = 0;

const blocks = (name, root = document) => [...root.querySelectorAll(`[data-live="${CSS.escape(name)}"]`)];
const names = () => new Set([...document.querySelectorAll("[data-live]")].map((block) => block.dataset.live));

// A block somebody is busy in waits: a menu in it is open, its text selected, or
// an order of theirs being carried out.
function busy(block) {
  const selection = getSelection();
  return block.querySelector(":popover-open, dialog[open], [data-busy]") !== null ||
    (!selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(block));
}

function mark(some) {
  for (const name of some) stale.add(name);
  plan();
}

function plan(delay = 150) {
  if (planned || running || document.hidden) return;
  for (const name of stale) if (!blocks(name).length) stale.delete(name);
  if (![...stale].some((name) => !blocks(name).some(busy))) return;
  planned = setTimeout(refresh, delay);
}

// swapped tells the scripts of the page that a block is another.
const swapped = () => document.dispatchEvent(new Event("live:swapped"));

async function refresh() {
  clearTimeout(expected);
  planned = 0;
  running = true;
  const wanted = [...stale].filter((name) => !blocks(name).some(busy)), address = location.href;
  wanted.forEach((name) => stale.delete(name)); // what changes meanwhile is stale again
  let again = 150;
  try {
    const response = await fetch(address, { headers: { "X-Refresh": "live" }, cache: "no-store" });
    if (response.redirected || [401, 403].includes(response.status)) return location.reload();
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // The list may have been filtered meanwhile; then this is not what is looked at.
    for (const name of wanted) if (address !== location.href || !await show(name, page)) stale.add(name);
    retry = retryFirst;
    if (stream?.readyState === EventSource.OPEN) found();
  } catch {
    wanted.forEach((name) => stale.add(name));
    again = later();
    lose();
  }
  running = false;
  plan(again);
}

// show reports whether it could be done now.
async function show(name, page) {
  const here = blocks(name), fresh = blocks(name, page), focused = document.activeElement;
  if (here.some(busy)) return false;
  for (const [i, block] of here.entries()) {
    if (!fresh[i] || block.isEqualNode(fresh[i])) continue;
    await window.htmx.swap({ text: fresh[i].outerHTML, target: block, sourceElement: block, swap: "outerMorph" });
    swapped();
    tell();
  }
  if (focused?.id && !focused.isConnected) document.getElementById(focused.id)?.focus({ preventScroll: true });
  return true;
}

// tell says that something is new, and no more: nobody is read the list.
function tell() {
  if (lost) return;
  sign.textContent = sign.dataset.fresh;
  clearTimeout(told);
  told = setTimeout(() => { if (!lost) sign.textContent = ""; }, 10_000);
}

// What the reader has opened, or the page has set, the server does not know; nor
// what a script keeps in an element with data-kept.
window.htmx.registerExtension("live", {
  htmx_before_morph_node: (element) => element.dataset?.kept === undefined,
  htmx_before_morph_attr: (element, { attrName }) => !["open", "checked", "data-sent", "data-busy", "aria-busy"].includes(attrName),
});

/* The stream */
let stream = null, opened = false, losing = 0, lost = false, quiet = 0, reconnect = 0, leaving = 0;

function later() {
  const wait = retry;
  retry = Math.min(2 * retry, retryLast);
  return wait;
}

function lose() {
  losing ||= setTimeout(() => {
    lost = true;
    sign.classList.add("lost");
    sign.textContent = sign.dataset.lost;
  }, 2000);
}

function found() {
  clearTimeout(losing);
  losing = 0;
  if (!lost) return;
  lost = false;
  sign.classList.remove("lost");
  sign.textContent = "";
}

function heard() {
  clearTimeout(quiet);
  quiet = setTimeout(() => { disconnect(); lose(); connect(); }, silence);
}

function connect() {
  clearTimeout(reconnect);
  if (stream || document.hidden) return;
  stream = new EventSource(sign.dataset.events);
  stream.addEventListener("change", (event) => { heard(); mark(JSON.parse(event.data).blocks); });
  stream.addEventListener("beat", heard);
  stream.addEventListener("gone", () => { disconnect(); location.reload(); });
  stream.addEventListener("open", () => {
    heard();
    found();
    retry = retryFirst;
    if (opened) mark(names()); // whatever happened meanwhile
    opened = true;
  });
  stream.addEventListener("error", () => {
    lose();
    if (stream?.readyState !== EventSource.CLOSED) return; // it comes back by itself
    disconnect();
    reconnect = setTimeout(connect, later());
    mark(names()); // also finds out whether the session has ended
  });
}

function disconnect() {
  stream?.close();
  stream = null;
  clearTimeout(quiet);
  clearTimeout(reconnect);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(leaving);
  if (document.hidden) leaving = setTimeout(disconnect, hiddenFor);
  else { connect(); plan(0); }
});
addEventListener("offline", () => { disconnect(); lose(); });
addEventListener("online", connect);
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

// What was waited for may have ended.
document.addEventListener("toggle", () => plan(), true);
document.addEventListener("close", () => plan(), true);
document.addEventListener("live:idle", () => plan());
document.addEventListener("selectionchange", () => plan());

// The page itself has changed something: one refresh does for it and for the
// event that tells of it. When no event comes, the page helps itself.
document.addEventListener("live:expect", (event) => {
  if (stream?.readyState !== EventSource.OPEN) return;
  event.preventDefault();
  clearTimeout(expected);
  expected = setTimeout(() => mark(names()), 1000);
});

connect();
