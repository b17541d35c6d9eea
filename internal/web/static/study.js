// What studying gains where scripts run: honest progress of a video, drafts that
// save themselves, answers without the mouse.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value); } catch { /* not kept */ } };

/* The player */
const box = $("[data-player]");
const video = box && $("video", box);
const every = 15_000;

if (video) {
  const { report, source, hls, position } = box.dataset;
  const note = $("[data-player-note]", box);
  const shelf = `played:${report}`;
  let told = "";      // the last report that arrived
  let sending = null; // the report that is under way

  const say = (text, kind = "") => { note.textContent = text; note.className = `note ${kind}`; note.hidden = !text; };

  // What the element says it has played, and what an earlier page could not send.
  const ranges = () => {
    const own = Array.from({ length: video.played.length }, (_, i) => [video.played.start(i), video.played.end(i)]);
    return [...JSON.parse(recall(shelf) ?? "[]"), ...own].map((r) => r.map((s) => Math.round(s * 1000) / 1000)).slice(-500);
  };

  const body = () => JSON.stringify({
    ranges: ranges(),
    duration: Number.isFinite(video.duration) ? video.duration : 0,
    position: video.currentTime || 0,
  });

  const show = (standing) => {
    const line = $("#standing"), button = $("#complete"), here = $("aside .lesson-link[aria-current] small");
    const ready = standing.missing.length === 0;
    if (line && line.textContent !== standing.note) line.textContent = standing.note;
    line?.classList.toggle("ok", ready);
    line?.classList.remove("bad");
    if (button?.matches("button")) { button.classList.toggle("primary", ready); button.classList.toggle("later", !ready); }
    if (here && !standing.completed && standing.percent > 0) here.textContent = `${standing.percent}%`;
  };

  // One report at a time; each tells everything, so that a lost one loses nothing.
  const send = async (leaving = false) => {
    if (!report) return;
    if (sending && !leaving) return sending;
    const text = body();
    if (text === told || (!video.played.length && !recall(shelf))) return;
    sending = (async () => {
      try {
        const answer = await fetch(report, { method: "POST", body: text, keepalive: leaving && text.length < 60_000, headers: { "Content-Type": "application/json", Accept: "application/json" } });
        if (answer.status >= 500) throw new Error(answer.status);
        if (!answer.ok) { say(box.dataset.failed, "bad"); return; }
        told = text;
        remember(shelf, null);
        // The next report need not repeat what has arrived, but may.
        if (note.dataset.offline) { delete note.dataset.offline; say(box.dataset.back, "ok"); setTimeout(() => say(""), 6000); }
        show(await answer.json());
      } catch {
        remember(shelf, JSON.stringify(ranges()));
        note.dataset.offline = "1";
        say(box.dataset.offline);
      } finally {
        sending = null;
      }
    })();
    return sending;
  };

  setInterval(() => send(), every);
  for (const event of ["pause", "ended", "seeked"]) video.addEventListener(event, () => { if (event !== "seeked" || video.paused) send(); });
  addEventListener("online", () => send());
  addEventListener("offline", () => { note.dataset.offline = "1"; say(box.dataset.offline); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") send(true); });
  addEventListener("pagehide", () => send(true));
  send();

  const form = $("[data-complete]");
  form?.addEventListener("submit", (event) => {
    if (body() === told) return;
    event.preventDefault();
    send().finally(() => form.submit()); // without asking again
  });

  const resume = () => {
    const at = Number(position) / 1000;
    if (at > 0 && at < video.duration - 1) video.currentTime = at;
    setSpeed(recall("speed") ?? "1");
  };
  video.addEventListener("error", () => say(box.dataset.failed, "bad"));

  if (source === "hls" && !video.canPlayType("application/vnd.apple.mpegurl")) {
    const address = video.getAttribute("src");
    video.removeAttribute("src");
    const script = document.createElement("script");
    script.src = hls;
    script.onload = () => {
      const player = new window.Hls({ enableWorker: false });
      player.on(window.Hls.Events.ERROR, (_, data) => { if (data.fatal) say(box.dataset.failed, "bad"); });
      player.loadSource(address);
      player.attachMedia(video);
    };
    script.onerror = () => say(box.dataset.failed, "bad");
    document.head.append(script);
  }

  const setSpeed = (speed) => {
    video.playbackRate = Number(speed) || 1;
    for (const b of $$("[data-speed]", box)) b.setAttribute("aria-pressed", String(b.dataset.speed === speed));
  };
  for (const button of $$("[data-speed]", box)) button.addEventListener("click", () => { setSpeed(button.dataset.speed); remember("speed", button.dataset.speed); });

  // The beginning of the video may be here before this script is.
  if (video.readyState > 0) resume();
  else video.addEventListener("loadedmetadata", resume, { once: true });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, button, a, summary, video, [contenteditable]")) return;
    if (event.code === "Space") video.paused ? video.play() : video.pause();
    else if (event.code === "ArrowLeft") video.currentTime -= 5;
    else if (event.code === "ArrowRight") video.currentTime += 5;
    else return;
    event.preventDefault();
  });
}

/* Homework in the making */
const answer = $("form[data-draft]");
if (answer) {
  const text = $("textarea", answer), state = $("[data-draft-state]", answer);
  let kept = text.value, timer;
  const keep = async (leaving = false) => {
    clearTimeout(timer);
    const value = text.value;
    if (value === kept || answer.dataset.sent) return;
    try {
      const response = await fetch(answer.dataset.draft, {
        method: "POST", body: new URLSearchParams({ text: value }), keepalive: leaving && value.length < 20_000, headers: { Accept: "application/json" },
      });
      if (!response.ok) throw new Error(response.status);
      kept = value;
      state.textContent = text.value === value ? state.dataset.saved : "";
    } catch {
      state.textContent = state.dataset.unsaved;
      timer = setTimeout(keep, 10_000);
    }
  };
  text.addEventListener("input", () => { state.textContent = ""; clearTimeout(timer); timer = setTimeout(keep, 1200); });
  addEventListener("online", () => keep());
  addEventListener("pagehide", () => keep(true));
  // Leaving for a form with a file takes what was typed along.
  for (const other of $$("#homework form:not([data-draft])")) {
    other.addEventListener("submit", (event) => {
      if (text.value === kept) return;
      event.preventDefault();
      keep().finally(() => other.submit());
    });
  }
}

/* Answers of staff */
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-review]");
  if (!form || event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.altKey)) return;
  event.preventDefault();
  form.requestSubmit($(`[value=${event.altKey ? "returned" : "accepted"}]`, form));
});

/* The editor tells how long a video is: the browser can look, the server need not. */
for (const seconds of $$("[data-seconds]")) {
  const input = $("input[type=file]", seconds.form);
  input.addEventListener("change", () => {
    seconds.value = "";
    const probe = document.createElement("video");
    probe.preload = "metadata";
    probe.onloadedmetadata = () => { seconds.value = Number.isFinite(probe.duration) ? String(probe.duration) : ""; URL.revokeObjectURL(probe.src); };
    if (input.files[0]) probe.src = URL.createObjectURL(input.files[0]);
  });
}
