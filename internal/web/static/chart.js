// Draws what stands in the table of a chart, and reads it out. The words and the
// scales come from the server; this file knows no language.

const drawn = new Map(); // the element of a plot → what was drawn in it

const axisFont = (node) => `11px ${getComputedStyle(node).fontFamily}`;
const ink = (root, css) => getComputedStyle(root.querySelector(css) ?? root).color;

// faded is a colour as the browser tells it, with less of it.
function faded(color, alpha) {
  const [r, g, b] = color.match(/[\d.]+/g);
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}

function pointsOf(block) {
  return [...block.querySelectorAll("tr[data-from]")].map((row) => ({
    from: row.dataset.from,
    label: row.dataset.label,
    sales: Number(row.dataset.sales),
    total: Number(row.dataset.total),
    long: row.querySelector("th").textContent,
    figures: row.dataset.figures,
  }));
}

// labelled picks the points that have room for their label. Counted from the last
// one, so that the newest is always named.
function labelled(points, width, font) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font;
  const widest = Math.max(...points.map((p) => pen.measureText(p.label).width)) + 18;
  const room = Math.max(1, Math.floor(width / widest));
  const step = [1, 2, 3, 4, 5, 7, 10, 14, 21, 28].find((s) => points.length / s <= room) ?? Math.ceil(points.length / room);
  return points.map((_, i) => i).filter((i) => (points.length - 1 - i) % step === 0);
}

class Plot {
  constructor(node, before) {
    this.node = node;
    this.block = node.closest("[data-live]");
    this.points = pointsOf(this.block);
    this.said = this.block.querySelector("[data-chart-said]");
    this.at = null;
    this.focused = false;
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.setAttribute("aria-hidden", "true"); // the live region says it
    this.tip.append(document.createElement("small"), document.createElement("b"));
    this.tip.hidden = true;
    this.ends = new AbortController();
    const on = { signal: this.ends.signal };
    node.addEventListener("keydown", (event) => this.key(event), on);
    node.addEventListener("focus", () => this.enter(), on);
    node.addEventListener("blur", () => this.leave(), on);
    this.draw();
    node.append(this.tip);
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(node);
    if (before) this.carryOn(before);
  }

  end() {
    this.ends.abort();
    this.resized.disconnect();
    this.plot?.destroy();
    this.tip.remove();
  }

  // carryOn leaves a reader whose block was replaced where they were.
  carryOn(before) {
    const at = this.points.findIndex((p) => p.from === before.points[before.at]?.from);
    const twin = before.block.querySelector("details"), own = this.block.querySelector("details");
    if (twin?.open) own.open = true;
    if (before.focused) {
      this.focused = true; // of the same element nobody is told again
      this.quiet = true; // it was said already
      this.node.focus({ preventScroll: true });
      this.quiet = false;
    }
    if (at < 0) return;
    if (before.focused) this.kept = at;
    if (before.focused || this.node === before.node) this.show(at);
  }

  // whole reports whether it still is what its table says.
  whole() {
    return this.node.querySelector("canvas") !== null && JSON.stringify(pointsOf(this.block)) === JSON.stringify(this.points);
  }

  draw() {
    const { node, points } = this;
    this.plot?.destroy();
    const font = axisFont(node);
    const data = node.dataset;
    const steps = Number(data.steps);
    const marks = (step) => Array.from({ length: steps + 1 }, (_, i) => i * Number(step));
    const muted = ink(this.block, ".legend"), line = ink(this.block, ".ink-line");
    this.bar = ink(this.block, ".ink-sales");
    const revenue = ink(this.block, ".ink-revenue");
    const paid = Number(data.revenueStep) > 0 && points.some((p) => p.total > 0);
    const revenueWords = data.revenueTicks.split("|");
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    const widest = (words) => Math.ceil(Math.max(...words.map((w) => pen.measureText(w).width)));
    const left = widest(data.saleTicks.split("|")) + 12, right = paid ? widest(revenueWords) + 12 : 16;
    const count = points.length;
    const axis = { stroke: muted, font, gap: 6, ticks: { show: false } };
    const options = {
      width: node.clientWidth,
      height: node.clientHeight,
      padding: [8, paid ? 0 : right, 0, 0],
      legend: { show: false },
      cursor: {
        y: false, x: false, drag: { x: false, y: false, setScale: false },
        points: { show: false }, focus: { prox: -1 },
      },
      scales: {
        x: { time: false, range: [-0.5, count - 0.5] },
        sales: { range: [0, steps * Number(data.saleStep)] },
        revenue: { range: [0, steps * Number(data.revenueStep)] },
      },
      axes: [
        {
          ...axis, size: 26, grid: { show: false },
          splits: () => labelled(points, node.clientWidth - left - right, font),
          values: (_, at) => at.map((i) => points[i].label),
        },
        {
          ...axis, scale: "sales", size: left, grid: { stroke: line, width: 1 },
          splits: () => marks(data.saleStep), values: () => data.saleTicks.split("|"),
        },
        {
          ...axis, scale: "revenue", side: 1, size: right, grid: { show: false }, show: paid,
          splits: () => marks(data.revenueStep), values: () => revenueWords,
        },
      ],
      series: [
        {},
        {
          scale: "sales", points: { show: false },
          fill: this.bar, width: 0,
          paths: uPlot.paths.bars({
            size: [0.72, 44, 1], radius: 0.18,
            disp: { fill: { unit: 3, values: () => points.map((_, i) => (i === this.at ? this.bar : faded(this.bar, 0.76))) } },
          }),
        },
        {
          scale: "revenue", show: paid, stroke: revenue, width: 2, fill: faded(revenue, 0.07),
          points: { show: count === 1, size: 8, fill: revenue },
        },
      ],
      hooks: {
        setCursor: [(u) => { if (u.cursor.event) this.hover(u.cursor.idx); }],
        draw: [(u) => this.mark(u, paid, revenue)],
      },
    };
    this.plot = new uPlot(options, [points.map((_, i) => i), points.map((p) => p.sales), points.map((p) => p.total)], node);
  }

  // mark puts a dot on the line where it is being read.
  mark(u, paid, color) {
    if (this.at === null || !paid || this.points.length === 1) return;
    const { ctx } = u, scale = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.arc(u.valToPos(this.at, "x", true), u.valToPos(this.points[this.at].total, "revenue", true), 4.5 * scale, 0, 2 * Math.PI);
    ctx.fillStyle = color;
    ctx.strokeStyle = getComputedStyle(this.block).backgroundColor;
    ctx.lineWidth = 2 * scale;
    ctx.fill();
    ctx.stroke();
    ctx.restore();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (!width || !height || (width === this.plot.width && height === this.plot.height)) return;
    this.plot.setSize({ width, height });
    if (this.at !== null) this.place();
  }

  hover(at) {
    if (at === null || at === undefined) this.focused && this.kept !== undefined ? this.show(this.kept) : this.hide();
    else this.show(at);
  }

  show(at) {
    if (at === this.at) return;
    this.at = at;
    const point = this.points[at];
    this.tip.firstChild.textContent = point.long;
    this.tip.lastChild.textContent = point.figures;
    this.tip.hidden = false;
    this.place();
    this.plot.redraw();
  }

  // place keeps the read-out beside its bar, within the plot.
  place() {
    const x = this.plot.valToPos(this.at, "x") + this.plot.bbox.left / uPlot.pxRatio;
    const width = this.tip.offsetWidth, beside = 26;
    const right = x + beside + width <= this.node.clientWidth;
    const left = right ? x + beside : x - beside - width;
    const within = Math.min(Math.max(left, 0), this.node.clientWidth - width);
    this.tip.style.transform = `translate(${Math.round(within)}px, 0)`;
  }

  hide() {
    if (this.at === null) return;
    this.at = null;
    this.tip.hidden = true;
    this.plot.redraw();
  }

  key(event) {
    const last = this.points.length - 1, at = this.at ?? last;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.hide();
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.tell(Math.min(Math.max(to, 0), last));
  }

  enter() {
    this.focused = true;
    // A press of the mouse shows what it points at.
    if (this.at === null && this.points.length && !this.quiet) this.tell(this.points.length - 1);
  }

  leave() {
    this.kept = undefined;
    // An element that is taken out of the page loses the focus too: see carryOn.
    setTimeout(() => {
      if (!this.node.isConnected) return;
      this.focused = false;
      this.said.textContent = "";
      this.hide();
    });
  }

  tell(at) {
    this.kept = at;
    this.show(at);
    this.said.textContent = `${this.points[at].long} · ${this.points[at].figures}`;
  }
}

// start draws every plot of the page that is not drawn yet or no longer is what its
// table says, and lets go of those that have left it. It may be called as often as
// one likes.
export function start() {
  if (!globalThis.uPlot) return; // the table is there
  const gone = [...drawn.values()].filter((plot) => !plot.node.isConnected || !plot.whole());
  for (const plot of gone) {
    plot.end();
    drawn.delete(plot.node);
  }
  for (const node of document.querySelectorAll("[data-chart]")) {
    if (drawn.has(node) || !node.clientWidth) continue;
    const block = node.closest("[data-live]");
    drawn.set(node, new Plot(node, gone.find((plot) => plot.block.id === block.id)));
  }
}

const again = () => drawn.forEach((plot) => plot.draw());

start();
document.addEventListener("live:swapped", start);
document.addEventListener("htmx:after:swap", start);
addEventListener("theme:changed", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
document.fonts.ready.then(again);
