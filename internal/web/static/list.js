// The list of students: marking, and doing one thing to all who are marked. The
// server does the same without this file.

const $ = (selector, root = document) => root.querySelector(selector);
const boxes = () => [...document.querySelectorAll("#students input[name=student]")];
const form = () => $("#bulk");

function count() {
  const bar = form();
  if (!bar) return;
  const all = boxes(), marked = all.filter((box) => box.checked).length, said = $("#bulk-count");
  bar.classList.toggle("marked", marked > 0);
  const text = marked ? said.dataset.some.replace("{n}", marked) : said.dataset.none;
  if (said.textContent !== text) said.textContent = text;
  const every = $("#bulk-all");
  every.checked = marked > 0 && marked === all.length;
  every.indeterminate = marked > 0 && marked < all.length;
}

let last = null; // the box pressed before, for marking a run with Shift

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("#students input[name=student]");
  if (!box) return;
  const all = boxes(), from = all.indexOf(last), to = all.indexOf(box);
  if (event.shiftKey && from >= 0) all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((b) => { b.checked = box.checked; });
  last = box;
});

document.addEventListener("change", (event) => {
  if (event.target.id === "bulk-all") boxes().forEach((box) => { box.checked = event.target.checked; });
  if (event.target.closest("#students")) count();
});

// The list may be another after a filter or a live change.
for (const on of ["htmx:after:swap", "live:swapped"]) document.addEventListener(on, () => { last = null; count(); });
count();

/* An order: a line for each student as it is done, then what there is to say. */
document.addEventListener("submit", async (event) => {
  const bar = event.target;
  if (bar.id !== "bulk") return;
  event.preventDefault();
  const data = new FormData(bar, event.submitter), marked = data.getAll("student");
  const release = () => document.dispatchEvent(new CustomEvent("form:answered", { detail: bar }));
  clear(bar);
  if (!marked.length) return release();
  const progress = document.createElement("progress");
  progress.max = marked.length;
  progress.value = 0;
  progress.className = "bar";
  progress.setAttribute("aria-label", bar.getAttribute("aria-label"));
  bar.append(progress);
  bar.dataset.busy = ""; // live changes wait
  let summary = null;
  try {
    const answer = await fetch(bar.action, { method: "POST", headers: { Accept: "application/x-ndjson, application/problem+json" }, body: new URLSearchParams(data) });
    if (answer.redirected || answer.status === 401) return location.reload();
    const type = answer.headers.get("Content-Type") ?? "";
    if (!answer.ok && answer.status < 500 && type.startsWith("application/problem+json")) return refuse(bar, await answer.json());
    if (!answer.ok || !type.startsWith("application/x-ndjson")) throw new Error(answer.status);
    for await (const line of lines(answer.body)) {
      if (line.summary) { summary = line; continue; }
      progress.value += 1;
      result(line);
    }
    if (!summary) throw new Error("cut off");
    // The sum is said by the page; whom it did not help is said here.
    $("#bulk-results [role=status]").textContent = [...document.querySelectorAll("#bulk-results li:has(.bad)")].map((line) => [...line.children].map((part) => part.textContent).join(": ")).join("\n");
    document.dispatchEvent(new CustomEvent("bulk:done", { detail: { ...summary, action: bar.action, back: data.get("back") } }));
  } catch {
    document.dispatchEvent(new CustomEvent("bulk:failed"));
  } finally {
    progress.remove();
    delete bar.dataset.busy;
    count();
    release();
    document.dispatchEvent(new Event("live:idle"));
  }
});

// refuse says at the bar why nothing was done.
function refuse(bar, { title, code }) {
  const said = $("#bulk-refused"), choice = code === "manager_unknown" && $("[name=manager]", bar);
  said.textContent = title;
  if (!choice) return;
  choice.setAttribute("aria-invalid", "true");
  choice.setAttribute("aria-describedby", said.id);
  choice.focus();
}

function clear(bar) {
  $("#bulk-refused").textContent = "";
  $("[name=manager]", bar)?.removeAttribute("aria-invalid");
  $("[name=manager]", bar)?.removeAttribute("aria-describedby");
  close();
}

// close puts away what was said of the last order.
function close() {
  const panel = $("#bulk-results");
  panel.hidden = true;
  for (const part of ["ul", "[role=status]"]) $(part, panel).replaceChildren();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#bulk-results [data-results-close]")) return;
  close();
  $("#bulk-all")?.focus();
});

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
    if (done) return;
  }
}

// result says what became of one student, where a refresh of the rows does not
// take it away.
function result({ id, name, ok, text }) {
  const panel = $("#bulk-results"), line = document.createElement("li");
  const who = document.createElement("bdi"), what = document.createElement("span");
  who.textContent = name;
  what.className = `bulk-mark ${ok ? "ok" : "bad"}`;
  what.textContent = text;
  line.append(who, what);
  const list = $("ul", panel);
  list.insertBefore(line, ok ? null : $("li:has(.ok)", list)); // what failed comes first
  panel.hidden = false;
  const box = document.querySelector(`#students input[name=student][value="${CSS.escape(id)}"]`);
  if (ok && box) box.checked = false;
}
