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
  if (!marked.length) return;
  const progress = document.createElement("progress");
  progress.max = marked.length;
  progress.value = 0;
  progress.className = "bar";
  progress.setAttribute("aria-label", bar.getAttribute("aria-label"));
  bar.append(progress);
  let summary = null;
  try {
    const answer = await fetch(bar.action, { method: "POST", headers: { Accept: "application/x-ndjson" }, body: new URLSearchParams(data) });
    if (answer.redirected || answer.status === 401) return location.reload();
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/x-ndjson")) throw new Error(answer.status);
    for await (const line of lines(answer.body)) {
      if (line.summary) { summary = line; continue; }
      progress.value += 1;
      result(line);
    }
    if (!summary) throw new Error("cut off");
    document.dispatchEvent(new CustomEvent("bulk:done", { detail: { ...summary, action: bar.action, back: data.get("back") } }));
  } catch {
    document.dispatchEvent(new CustomEvent("bulk:failed"));
  } finally {
    progress.remove();
    document.dispatchEvent(new CustomEvent("form:answered", { detail: bar }));
  }
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

// result marks one row with what became of it.
function result({ id, ok, text }) {
  const row = document.getElementById(`row-${id}`), cell = row && $(".cell-status", row);
  if (!cell) return;
  const mark = document.createElement("div");
  mark.className = `bulk-mark ${ok ? "ok" : "bad"}`;
  mark.textContent = text;
  $(".bulk-mark", cell)?.remove();
  cell.append(mark);
  if (ok) $("input[name=student]", row).checked = false;
}
