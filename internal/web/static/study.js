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
  const { report, source, hls, position, reader } = box.dataset;
  const note = $("[data-player-note]", box);
  const shelf = `played:${reader}:${report}`;
  let earlier = JSON.parse(recall(shelf) ?? "[]"); // what a page before this one could not send
  let told = "";        // the last report that arrived
  let sending = null;   // the report that is under way
  let again = false;    // something happened meanwhile
  let offline = false;

  const say = (text, kind = "") => { note.textContent = text; note.className = `note ${kind}`; note.hidden = !text; };
  const cut = (on) => {
    if (on) say(box.dataset.offline);
    else if (offline) { say(box.dataset.back, "ok"); setTimeout(() => { if (!offline) say(""); }, 6000); }
    offline = on;
  };

  // The union of what the element says it has played and of what waits from before.
  const ranges = () => {
    const own = Array.from({ length: video.played.length }, (_, i) => [video.played.start(i), video.played.end(i)]);
    const union = [];
    for (const [from, to] of [...earlier, ...own].sort((a, b) => a[0] - b[0])) {
      const last = union.at(-1);
      if (last && from <= last[1]) last[1] = Math.max(last[1], to);
      else union.push([from, to]);
    }
    return union.slice(-500).map((r) => r.map((s) => Math.round(s * 1000) / 1000));
  };
  const shelve = () => { if (report && (video.played.length || earlier.length)) remember(shelf, JSON.stringify(ranges())); };

  const body = () => JSON.stringify({
    ranges: ranges(),
    duration: Number.isFinite(video.duration) ? video.duration : 0,
    position: video.currentTime || 0,
  });
  const nothing = () => !report || (!video.played.length && !earlier.length) || body() === told;

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
  const send = async () => {
    if (sending) { again = true; return sending; }
    if (nothing()) return;
    const text = body();
    sending = (async () => {
      try {
        const answer = await fetch(report, {
          method: "POST", body: text, signal: AbortSignal.timeout(10_000),
          headers: { "Content-Type": "application/json", Accept: "application/json" },
        });
        if (answer.status >= 500 || answer.status === 429) throw new Error(answer.status);
        if (!answer.ok) { shelve(); say(box.dataset.failed, "bad"); return; } // logged out, blocked, …: not now
        told = text;
        earlier = ranges(); // what has arrived may be told again
        remember(shelf, null);
        cut(false);
        show(await answer.json());
      } catch {
        shelve();
        cut(true);
      } finally {
        sending = null;
        if (again) { again = false; if (!offline) send(); }
      }
    })();
    return sending;
  };

  // Nobody waits for the answer of a page that goes; the shelf keeps what it told
  // until the next one.
  const leave = () => {
    if (nothing()) return;
    shelve();
    const text = body();
    fetch(report, { method: "POST", body: text, keepalive: text.length < 60_000, headers: { "Content-Type": "application/json", Accept: "application/json" } }).catch(() => {});
  };

  setInterval(send, every);
  for (const event of ["pause", "ended"]) video.addEventListener(event, send);
  addEventListener("online", () => {
    if (nothing()) cut(false);
    else send();
    if (video.error) { const at = video.currentTime; shelve(); earlier = ranges(); video.load(); video.addEventListener("loadedmetadata", () => { video.currentTime = at; }, { once: true }); }
  });
  addEventListener("offline", () => cut(true));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") leave(); });
  addEventListener("pagehide", leave);
  send();

  const form = $("[data-complete]");
  form?.addEventListener("submit", (event) => {
    if (nothing()) return;
    event.preventDefault();
    // Without asking again, and without waiting for a link that is half dead.
    Promise.race([send(), new Promise((done) => setTimeout(done, 3000))]).finally(() => form.submit());
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
      const form = new URLSearchParams({ text: value });
      const response = await fetch(answer.dataset.draft, {
        method: "POST", body: form, keepalive: leaving && String(form).length < 60_000, headers: { Accept: "application/json" },
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
