"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const make = (tag, attributes = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), attributes);
  e.append(...children);
  return e;
};

// Colours: as the system has them, dark, light.
const themes = ["", "dark", "light"];
const themeNames = ["as the system has them", "dark", "light"];
const dark = () => getComputedStyle(document.documentElement).getPropertyValue("--paper").trim() === "#17181a";
const setTheme = (i) => {
  document.documentElement.dataset.theme = themes[i];
  $("theme").setAttribute("aria-label", "Colours: " + themeNames[i]);
  try { localStorage.setItem("theme", themes[i]); } catch { /* a page from a file may have no storage */ }
};
let theme = 0;
try { theme = Math.max(0, themes.indexOf(localStorage.getItem("theme"))); } catch { /* as above */ }
setTheme(theme);
$("theme").addEventListener("click", () => { setTheme(theme = (theme + 1) % themes.length); matrix?.draw(); });

// Downloads.
const save = (name, url) => {
  const a = make("a", { href: url, download: name });
  document.body.append(a);
  a.click();
  a.remove();
};
const saveText = (name, type, text) => {
  const url = URL.createObjectURL(new Blob([text], { type }));
  save(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 1000);
};
// Figures: downloads, what they show under the pointer, and on a phone their panels one
// below the other.
for (const f of document.querySelectorAll("figure")) {
  const name = f.dataset.name, img = f.querySelector("img");
  const svg = f.querySelector(".svg"), csv = f.querySelector(".csv");
  svg.setAttribute("aria-label", "Download " + name + " as SVG");
  svg.addEventListener("click", () => save(name + ".svg", img.src));
  csv?.setAttribute("aria-label", "Download the data of " + name + " as CSV");
  csv?.addEventListener("click", () => saveText(name + ".csv", "text/csv", data.tables[name]));
  const width = Number(img.getAttribute("width")), height = Number(img.getAttribute("height")), marks = data.marks[name];
  // ask tells what is nearest to the pointer in a part of the picture, shown on an element.
  const ask = (e, part) => {
    if (!marks) return;
    const tip = make("div", { className: "tip", hidden: true }), box = e.parentElement;
    tip.setAttribute("role", "tooltip");
    box.append(tip);
    const tell = (event) => {
      const at = e.getBoundingClientRect(), near = 18 * part.w / at.width;
      const x = part.x + (event.clientX - at.left) * part.w / at.width, y = part.y + (event.clientY - at.top) * part.h / at.height;
      let best = near * near, text = "";
      for (let i = 0; i < marks.length; i += 3) {
        const d = (marks[i] - x) ** 2 + (marks[i + 1] - y) ** 2;
        if (d < best) [best, text] = [d, marks[i + 2]];
      }
      tip.hidden = !text;
      tip.textContent = text;
      const whole = box.getBoundingClientRect();
      tip.style.left = Math.max(0, Math.min(event.clientX - whole.left + 12, whole.width - tip.offsetWidth)) + "px";
      tip.style.top = (event.clientY - whole.top + 16) + "px";
    };
    e.addEventListener("pointermove", tell);
    e.addEventListener("pointerdown", tell);
    e.addEventListener("pointerleave", () => { tip.hidden = true; });
  };
  ask(img, { x: 0, y: 0, w: width, h: height });
  if (f.dataset.panels) {
    const [w, h] = f.dataset.panels.split(",").map(Number), columns = Math.round((width - 12) / w), rows = Math.max(1, Math.floor((height - 12) / h)), head = height - 12 - rows * h;
    const stack = make("div", { className: "panels" });
    stack.setAttribute("role", "img");
    stack.setAttribute("aria-label", img.alt);
    const add = (x, y, pw, ph) => {
      const box = make("div"), panel = make("div"), scale = 100 * width / pw;
      Object.assign(panel.style, { backgroundImage: `url(${img.src})`, aspectRatio: `${pw} / ${ph}`, backgroundSize: `${scale}% auto`, backgroundPosition: `${width > pw ? 100 * x / (width - pw) : 0}% ${height > ph ? 100 * y / (height - ph) : 0}%` });
      Object.assign(box.style, { position: "relative", filter: "none" });
      box.append(panel);
      stack.append(box);
      ask(panel, { x, y, w: pw, h: ph });
    };
    const build = () => {
      if (stack.children.length) return;
      for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) add(6 + c * w, 6 + head + r * h, w, h);
      f.classList.add("stacked");
      f.querySelector("figcaption").before(stack);
    };
    const phone = matchMedia("screen and (max-width: 46rem)");
    if (phone.matches) build();
    phone.addEventListener("change", () => { if (phone.matches) build(); });
  }
}

// What is wider than there is room for says so, until its end is seen.
const cues = () => {
  for (const e of document.querySelectorAll(".scroll, .picture-box")) e.classList.toggle("more", e.scrollWidth - e.clientWidth - e.scrollLeft > 4);
};
for (const e of document.querySelectorAll(".scroll, .picture-box")) e.addEventListener("scroll", cues, { passive: true });
addEventListener("resize", cues);

$("cite").addEventListener("click", async () => {
  const text = $("citation").textContent;
  try { await navigator.clipboard.writeText(text); } catch { // which a page from a file may not
    const area = make("textarea", { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  $("cite").textContent = "Copied";
});

// Tables sort by a column: numbers by their first number, words as words.
const sortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((th, column) => {
    const button = make("button", { type: "button" }, ...th.childNodes);
    th.append(button);
    button.tabIndex = column ? -1 : 0; // a table is one stop of the keyboard: arrows go along its head
    button.addEventListener("keydown", (e) => {
      const to = heads[column + { ArrowRight: 1, ArrowLeft: -1 }[e.key]]?.querySelector("button");
      if (!to) return;
      button.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
      e.preventDefault();
    });
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "descending" ? 1 : -1;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      th.setAttribute("aria-sort", down < 0 ? "descending" : "ascending");
      const key = (row) => {
        const text = row.cells[column].textContent.trim();
        const n = parseFloat(text.replace("−", "-").replace("≤ ", ""));
        return Number.isNaN(n) ? text : n;
      };
      const rank = (v) => (v === "–" || v === "") ? 2 : typeof v === "number" ? 0 : 1;
      const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => rank(a) - rank(b) || down * (typeof a === "number" ? a - b : a.localeCompare(b)));
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
};
document.querySelectorAll("table").forEach(sortable);
cues();

let matrix = null;
if (!data.layers) return;

// Layers: unit u of network n is number start[n] + u of all.
for (const l of data.layers) {
  l.start = l.units.map((_, n) => l.units.slice(0, n).reduce((a, b) => a + b, 0));
  l.all = l.units.reduce((a, b) => a + b, 0);
}
const correlations = (l) => {
  if (!l.values) {
    const bytes = Uint8Array.from(atob(l.r), (c) => c.charCodeAt(0));
    l.values = new Int16Array(bytes.buffer);
  }
  return l.values;
};
const r = (l, a, u, b, v) => {
  let i = l.start[a] + u, j = l.start[b] + v;
  if (i > j) [i, j] = [j, i];
  return correlations(l)[i * l.all - i * (i - 1) / 2 + j - i] / 32767;
};
const decimals = (x) => x.toFixed(2).replace("-", "−");

// Names: of networks, of units, and of both; and what there is room for of a long one, on
// one line and without its middle.
const unitName = (l, net, unit) => l.unitNames?.[net]?.[unit] ?? "unit " + unit;
const shorten = (name, length = 32) => {
  const letters = [...name.replace(/[\p{C}\s]+/gu, " ").trim()], tail = (length - 1) >> 1;
  return letters.length <= length ? letters.join("") : letters.slice(0, length - 1 - tail).join("") + "…" + letters.slice(-tail).join("");
};
const place = (l, net, key) => (l.networkLayers ? (key === "short" ? shorten(l.networkLayers[net]) : l.networkLayers[net]) + " of " : "") + data.networks[net][key];
const shortName = (l, net, unit) => place(l, net, "short") + ", " + shorten(unitName(l, net, unit));
const fullName = (l, net, unit) => place(l, net, "name") + ", " + unitName(l, net, unit);
const live = (l, net, unit) => r(l, net, unit, net, unit) > 0.5; // dead ones correlate with nothing

// What is shown.
const view = { layer: data.layers[0], a: 0, b: 1, order: "one", rows: [], cols: [], scale: 1, zoom: 1, x: 0, y: 0, at: null, chosen: null };
const pairOf = () => view.layer.pairs.find((p) => p.a === view.a && p.b === view.b);

const fill = (select, options, value) => {
  select.replaceChildren(...options.map(([v, text]) => make("option", { value: v, textContent: text, selected: v === value })));
};
fill($("layer"), data.layers.map((l, i) => [String(i), l.short]), "0");
const nets = data.layers[0].units.length;
const choices = [];
for (let a = 0; a < nets; a++) for (let b = a + 1; b < nets; b++) choices.push([a + "," + b, data.networks[a].short + " and " + data.networks[b].short]);
for (let a = 0; a < nets; a++) choices.push([a + "," + a, "within " + data.networks[a].short]);
fill($("networks"), choices, "0,1");

const arrange = () => {
  const l = view.layer, p = pairOf();
  const orders = [["trained", "as trained"]];
  if (p) orders.push(["one", "one to one"], ["semi", "best partner"]);
  if (view.a === 0 && view.b === 1) orders.push(["tree", "by the tree"]);
  if (!orders.some(([v]) => v === view.order)) view.order = "trained";
  fill($("order"), orders, view.order);
  const all = (n) => [...Array(l.units[n]).keys()];
  view.rows = all(view.a);
  view.cols = all(view.b);
  if (view.order === "tree") {
    const end = l.units[0];
    view.rows = l.order.filter((u) => u < end);
    view.cols = l.order.filter((u) => u >= end).map((u) => u - end);
  } else if (p && view.order !== "trained") {
    const partner = view.order === "one" ? p.one : p.semi;
    const value = (u) => partner[u] < 0 ? -2 : r(l, view.a, u, view.b, partner[u]);
    view.rows.sort((u, v) => value(v) - value(u) || u - v);
    const matched = view.rows.filter((u) => partner[u] >= 0);
    if (view.order === "semi") {
      view.rows = matched;
      view.cols = matched.map((u) => partner[u]); // a column for every row, some more than once
    } else {
      const taken = new Set(matched.map((u) => partner[u]));
      view.cols = [...matched.map((u) => partner[u]), ...view.cols.filter((v) => !taken.has(v))];
    }
  }
  Object.assign(view, { zoom: 1, x: 0, y: 0, at: null });
  paint();
  listPairs();
  keep();
};

// The matrix is painted once, a pixel a pair, and drawn enlarged.
const canvas = $("matrix"), context = canvas.getContext("2d");
const painted = document.createElement("canvas");
const colour = (v, dim) => {
  const ends = dim ? [[255, 120, 100], [95, 175, 255], [31, 33, 35]] : [[160, 20, 35], [15, 75, 150], [255, 255, 255]];
  const end = v < 0 ? ends[1] : ends[0], t = Math.min(1, Math.abs(v) / view.scale);
  return end.map((c, k) => Math.round(ends[2][k] + t * (c - ends[2][k])));
};
const paint = () => {
  const { layer: l, a, b, rows, cols } = view;
  painted.width = Math.max(1, cols.length);
  painted.height = Math.max(1, rows.length);
  let largest = 0;
  rows.forEach((u) => cols.forEach((v) => { if (a !== b || u !== v) largest = Math.max(largest, Math.abs(r(l, a, u, b, v))); }));
  view.scale = Math.max(0.1, Math.min(1, Math.ceil(10 * largest - 1e-3) / 10));
  $("scale").children[0].textContent = "r −" + view.scale.toFixed(1);
  $("scale").children[2].textContent = "+" + view.scale.toFixed(1);
  $("scale").children[1].style.background = `linear-gradient(90deg, ${[-1, 0, 1].map((v) => `rgb(${colour(v * view.scale, dark())})`)})`;
  const units = (net, shown) => {
    const dead = shown.filter((u) => !live(l, net, u)).length;
    return `${shown.length} units of ${place(l, net, "short")}${dead ? `, ${dead} of them dead` : ""}`;
  };
  $("columns").textContent = `columns: ${units(b, cols)} →`;
  $("rows").textContent = `rows: ${units(a, rows)} ↓`;
  const g = painted.getContext("2d"), image = g.createImageData(painted.width, painted.height), dim = dark();
  rows.forEach((u, i) => cols.forEach((v, j) => {
    image.data.set([...colour(r(l, a, u, b, v), dim), 255], 4 * (i * cols.length + j));
  }));
  g.putImageData(image, 0, 0);
  draw();
};
const cell = () => view.zoom * canvas.width / Math.max(view.rows.length, view.cols.length, 1);
const draw = () => {
  const size = cell();
  context.fillStyle = dark() ? "#17181a" : "#fdfdfb";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  context.drawImage(painted, -view.x, -view.y, size * view.cols.length, size * view.rows.length);
  const mark = (at, style, width) => {
    if (!at) return;
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect(at.j * size - view.x - 1, at.i * size - view.y - 1, size + 2, size + 2);
  };
  mark(view.chosen && { i: view.rows.indexOf(view.chosen.u), j: view.cols.indexOf(view.chosen.v) }, "#e69f00", 3);
  mark(view.at, dark() ? "#fff" : "#000", 2);
};
matrix = { draw: paint };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

const clamp = () => {
  const size = cell();
  view.x = Math.max(0, Math.min(view.x, size * view.cols.length - canvas.width));
  view.y = Math.max(0, Math.min(view.y, size * view.rows.length - canvas.height));
  canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";
};
const zoom = (factor, x = canvas.width / 2, y = canvas.height / 2) => {
  const next = Math.max(1, Math.min(24, view.zoom * factor)), scale = next / view.zoom;
  view.x = (view.x + x) * scale - x;
  view.y = (view.y + y) * scale - y;
  view.zoom = next;
  clamp();
  draw();
};
const where = (e) => {
  const box = canvas.getBoundingClientRect();
  return [(e.clientX - box.left) * canvas.width / box.width, (e.clientY - box.top) * canvas.height / box.height];
};
const placeAt = (x, y) => {
  const size = cell(), i = Math.floor((view.y + y) / size), j = Math.floor((view.x + x) / size);
  return i >= 0 && j >= 0 && i < view.rows.length && j < view.cols.length ? { i, j } : null;
};
const describe = ({ i, j }) => {
  const { layer: l, a, b } = view, u = view.rows[i], v = view.cols[j];
  return `${shortName(l, a, u)} and ${shortName(l, b, v)}: r ${decimals(r(l, a, u, b, v))}`;
};
const tip = $("tip");
const point = (at, e) => {
  view.at = at;
  draw();
  tip.hidden = !at || !e;
  if (at && e) {
    tip.textContent = describe(at);
    const box = canvas.getBoundingClientRect();
    tip.style.left = Math.max(0, Math.min(e.clientX - box.left + 12, box.width - tip.offsetWidth)) + "px";
    tip.style.top = (e.clientY - box.top + 18) + "px";
  }
};
const pointers = new Map();
let moved = 0, fingers = 0; // pixels that pointers went, and that two are apart
canvas.addEventListener("pointerdown", (e) => {
  pointers.set(e.pointerId, where(e));
  canvas.setPointerCapture(e.pointerId);
  moved = 0;
  fingers = 0;
});
canvas.addEventListener("pointermove", (e) => {
  const [x, y] = where(e), before = pointers.get(e.pointerId);
  if (before) {
    moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
    pointers.set(e.pointerId, [x, y]);
    if (pointers.size === 2) {
      const [[x1, y1], [x2, y2]] = [...pointers.values()], now = Math.hypot(x1 - x2, y1 - y2);
      if (fingers) zoom(now / fingers, (x1 + x2) / 2, (y1 + y2) / 2);
      fingers = now;
      return;
    }
    view.x -= x - before[0];
    view.y -= y - before[1];
    clamp();
  }
  point(placeAt(x, y), e);
});
const release = (e) => {
  const [x, y] = where(e), at = placeAt(x, y);
  if (pointers.delete(e.pointerId) && e.type === "pointerup" && moved < 8 && at) choose(view.rows[at.i], view.cols[at.j]);
};
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => point(null));
canvas.addEventListener("wheel", (e) => {
  if (!e.ctrlKey && !e.metaKey && document.activeElement !== canvas) return; // the page scrolls
  e.preventDefault();
  zoom(Math.exp(-e.deltaY / 300), ...where(e));
}, { passive: false });
canvas.addEventListener("keydown", (e) => {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
  if (step) {
    const at = view.at ? { i: view.at.i + step[0], j: view.at.j + step[1] } : { i: 0, j: 0 };
    at.i = Math.max(0, Math.min(view.rows.length - 1, at.i));
    at.j = Math.max(0, Math.min(view.cols.length - 1, at.j));
    const size = cell();
    view.x = Math.min(Math.max(view.x, (at.j + 1) * size - canvas.width), at.j * size);
    view.y = Math.min(Math.max(view.y, (at.i + 1) * size - canvas.height), at.i * size);
    clamp();
    point(at);
    $("status").textContent = describe(at);
  } else if (e.key === "+" || e.key === "=") zoom(1.5);
  else if (e.key === "-") zoom(1 / 1.5);
  else if ((e.key === "Enter" || e.key === " ") && view.at) choose(view.rows[view.at.i], view.cols[view.at.j]);
  else return;
  e.preventDefault();
});
$("closer").addEventListener("click", () => zoom(1.6));
$("farther").addEventListener("click", () => zoom(1 / 1.6));
$("whole").addEventListener("click", () => zoom(1 / 24));

const picture = (s, row, k) => {
  const e = make("div", { className: "picture" }), side = 54;
  e.style.backgroundImage = `url(${s.url})`;
  e.style.backgroundSize = `${side * s.each}px auto`;
  e.style.backgroundPosition = `${-side * k}px ${-side * row}px`;
  return e;
};
const card = (net, unit) => {
  const l = view.layer, pictures = make("div", { className: "pictures" });
  const add = (label, sheet) => {
    const row = make("div", {}, ...Array.from({ length: sheet.each }, (_, k) => picture(sheet, unit, k)));
    row.setAttribute("role", "img");
    row.setAttribute("aria-label", label);
    pictures.append(make("div", {}, make("span", { textContent: label }), row));
  };
  if (l.filters) add("filter", l.filters[net]);
  if (l.patches) add("image patches that activate it most", l.patches[net]);
  const facts = make("dl");
  const fact = (name, value) => facts.append(make("dt", { textContent: name }), make("dd", { textContent: value }));
  fact("mean activation", l.means[net][unit].toPrecision(3));
  if (l.recurrence && l.recurrence[net][unit] >= 0) fact("partners beyond chance in", l.recurrence[net][unit] + " of " + l.others + (l.others === 1 ? " other network" : " other networks"));
  if (!live(l, net, unit)) fact("state", "dead: it never changes");
  return make("div", { className: "unit" }, make("h4", { textContent: shortName(l, net, unit), title: fullName(l, net, unit) }), pictures, facts);
};
const choose = (u, v) => {
  view.chosen = { u, v };
  const { layer: l, a, b } = view, p = pairOf(), notes = [];
  if (p?.one[u] === v) notes.push("matched one to one");
  if (p?.semi[u] === v) notes.push("the best partner");
  $("pair").replaceChildren(make("p", { textContent: `r = ${decimals(r(l, a, u, b, v))}` + (notes.length ? ", " + notes.join(" and ") : "") }), card(a, u), card(b, v));
  for (const row of $("pairs").tBodies[0].rows) row.setAttribute("aria-selected", String(Number(row.dataset.u) === u && Number(row.dataset.v) === v));
  draw();
  keep();
};
// The address keeps what is shown: #explore=layer,network,network,order,unit,unit.
let opened = false;
const keep = () => {
  if (!opened) return;
  const state = [data.layers.indexOf(view.layer), view.a, view.b, view.order, ...(view.chosen ? [view.chosen.u, view.chosen.v] : [])];
  history.replaceState(null, "", "#explore=" + state.join(","));
};

const listPairs = () => {
  const { layer: l, a, b } = view, p = pairOf(), body = $("pairs").tBodies[0];
  body.replaceChildren();
  $("matched").hidden = !p;
  if (!p) return;
  $("pairs").caption.textContent = `Units of ${place(l, a, "short")} and their partners in ${place(l, b, "short")}`;
  $("pairs").caption.title = `${place(l, a, "name")}; ${place(l, b, "name")}`;
  const rows = p.one.map((partner, u) => ({ u, partner, best: p.semi[u] })).filter((x) => x.partner >= 0);
  rows.sort((x, y) => r(l, a, y.u, b, y.partner) - r(l, a, x.u, b, x.partner));
  for (const x of rows) {
    const row = make("tr", { tabIndex: 0 });
    Object.assign(row.dataset, { u: x.u, v: x.partner });
    for (const text of [unitName(l, a, x.u), unitName(l, b, x.partner), decimals(r(l, a, x.u, b, x.partner)), unitName(l, b, x.best), decimals(r(l, a, x.u, b, x.best)), l.recurrence ? String(l.recurrence[a][x.u]) : "–"]) {
      const short = shorten(text);
      row.append(make("td", { textContent: short, title: short === text ? "" : text }));
    }
    const pick = () => choose(x.u, x.partner);
    row.addEventListener("click", pick);
    row.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { pick(); e.preventDefault(); } });
    body.append(row);
  }
};

// chooseFirst shows the pair of the list that correlates most.
const chooseFirst = () => {
  const row = pairOf() && $("pairs").tBodies[0].rows[0];
  if (row) choose(Number(row.dataset.u), Number(row.dataset.v));
  else $("pair").replaceChildren(make("p", { textContent: "No pair is chosen." }));
};

// see shows a unit beside its partner.
const see = (net, unit) => {
  if (net !== view.a && net !== view.b) Object.assign(view, { a: 0, b: 1 });
  $("networks").value = view.a + "," + view.b;
  arrange();
  const p = pairOf(), second = net !== view.a, partner = !p ? unit : second ? p.one.indexOf(unit) : p.one[unit];
  if (partner >= 0) choose(second ? partner : unit, second ? unit : partner);
  else $("pair").replaceChildren(make("p", { textContent: "It has no partner." }), card(net, unit));
};

// A unit is found by its name or number.
const names = new Map();
const listNames = () => {
  names.clear();
  for (const net of new Set([view.a, view.b])) for (let u = 0; u < view.layer.units[net]; u++) {
    const text = unitName(view.layer, net, u) + " of " + place(view.layer, net, "short");
    names.set(text, [net, u]);
  }
  $("units").replaceChildren(...[...names.keys()].map((value) => make("option", { value })));
};
const find = () => {
  const wanted = $("search").value.trim().toLowerCase();
  if (!wanted) return;
  const all = [...names], at = all.find(([text]) => text.toLowerCase() === wanted) ?? all.find(([text]) => text.toLowerCase().startsWith(`unit ${wanted} `)) ?? all.find(([text]) => text.toLowerCase().includes(wanted));
  if (at) see(...at[1]);
  else $("status").textContent = "No unit is called so.";
};
$("search").addEventListener("change", find);
$("search").addEventListener("keydown", (e) => { if (e.key === "Enter") { find(); e.preventDefault(); } });

// The tree of the first two networks, leaves below.
let spread = 1;
const drawTree = () => {
  const l = view.layer, n = l.units[0] + l.units[1], tree = $("tree"), joined = new Set();
  for (const [x, y] of l.merges) [x, y].forEach((k) => { if (k < n) joined.add(k); });
  const leaves = l.order.filter((k) => joined.has(k)), idle = n - leaves.length;
  $("tree-status").textContent = idle ? `${idle} of ${n} units have no weight at this penalty, and are in no group.` : "";
  if (!leaves.length) { tree.textContent = "No unit predicts another at this penalty."; return; }
  const svg = (name, attributes, ...children) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    e.append(...children);
    return e;
  };
  const named = (k) => k < l.units[0] ? [0, k] : [1, k - l.units[0]];
  const labels = new Map(leaves.map((k) => [k, shorten(unitName(l, ...named(k)), 14) + " of " + shorten(data.networks[named(k)[0]].short, 14)]));
  const width = Math.max(tree.clientWidth - 20, 300) * spread, slot = (width - 20) / leaves.length, height = 240, legible = slot >= 11;
  const foot = legible ? 8 + 5.6 * Math.max(...[...labels.values()].map((s) => s.length)) : 14, top = Math.max(...l.merges.map((m) => m[2]));
  const picture = svg("svg", { width, height: height + foot, role: "img", "aria-label": `Tree of ${leaves.length} units` });
  const at = new Map(), count = new Map();
  leaves.forEach((k, i) => {
    const [net, unit] = named(k), x = 10 + slot * (i + 0.5);
    at.set(k, [x, height]);
    count.set(k, net ? [0, 1] : [1, 0]);
    const mark = legible ? svg("text", { transform: `translate(${x + 3},${height + 5}) rotate(90)` }, labels.get(k)) : svg("circle", { cx: x, cy: height + 5, r: Math.max(1.5, Math.min(4, slot / 2)), fill: net ? "#d55e00" : "#0072b2" });
    const leaf = svg("g", { class: "leaf" }, svg("title", {}, fullName(l, net, unit)), mark);
    leaf.addEventListener("click", () => see(net, unit));
    picture.append(leaf);
  });
  l.merges.forEach(([x, y, weight], i) => {
    const [[x1, y1], [x2, y2]] = [at.get(x), at.get(y)], h = 12 + (height - 24) * weight / top;
    const [p, q] = [count.get(x), count.get(y)], units = [p[0] + q[0], p[1] + q[1]], d = `M${x1} ${y1}V${h}H${x2}V${y2}`;
    at.set(n + i, [(x1 + x2) / 2, h]);
    count.set(n + i, units);
    picture.prepend(svg("g", {}, svg("title", {}, `${units[0]} units of ${data.networks[0].short} and ${units[1]} of ${data.networks[1].short}: mean weight ${weight.toPrecision(3)}`), svg("path", { d }), svg("path", { d, class: "hit" })));
  });
  tree.replaceChildren(picture);
  cues();
};
const widen = (factor) => {
  const tree = $("tree"), middle = (tree.scrollLeft + tree.clientWidth / 2) / Math.max(1, tree.scrollWidth);
  spread = Math.max(1, Math.min(40, spread * factor));
  drawTree();
  tree.scrollLeft = middle * tree.scrollWidth - tree.clientWidth / 2;
};
$("tree-closer").addEventListener("click", () => widen(1.6));
$("tree-farther").addEventListener("click", () => widen(1 / 1.6));
$("tree-whole").addEventListener("click", () => widen(1 / 40));
addEventListener("resize", () => { if (spread === 1) drawTree(); });

$("layer").addEventListener("change", (e) => {
  Object.assign(view, { layer: data.layers[Number(e.target.value)], chosen: null });
  arrange();
  chooseFirst();
  listNames();
  drawTree();
});
$("networks").addEventListener("change", (e) => {
  [view.a, view.b] = e.target.value.split(",").map(Number);
  view.chosen = null;
  arrange();
  chooseFirst();
  listNames();
});
$("order").addEventListener("change", (e) => { view.order = e.target.value; arrange(); });

const title = () => `correlation_${view.layer.name}_${view.a + 1}_${view.b + 1}`;
$("matrix-csv").addEventListener("click", () => {
  const { layer: l, a, b, rows, cols } = view;
  const quote = (s) => /[",\r\n]|^\s/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s;
  const corner = place(l, a, "name") + " / " + place(l, b, "name"); // what rows and columns are units of
  const lines = [[quote(corner), ...cols.map((v) => quote(unitName(l, b, v)))], ...rows.map((u) => [quote(unitName(l, a, u)), ...cols.map((v) => r(l, a, u, b, v).toFixed(5))])];
  saveText(title() + ".csv", "text/csv", lines.map((row) => row.join(",") + "\n").join(""));
});
$("matrix-svg").addEventListener("click", () => {
  const { layer: l, a, b, rows, cols } = view, side = 12, left = 130, top = 130, w = side * cols.length, h = side * rows.length;
  const escaped = (text) => text.replace(/[\u0000-\u001f]/g, " ").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const text = (s, x, y, more = "") => `<text x="${x}" y="${y}" ${more}>${escaped(s)}</text>`;
  const label = (net, u) => shorten(unitName(l, net, u), 20);
  saveText(title() + ".svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + w + 10} ${top + h + 40}" width="${left + w + 10}" height="${top + h + 40}" font-family="Arial,sans-serif" font-size="9"><rect width="100%" height="100%" fill="#fff"/>`
    + text(`${l.name}: columns are units of ${place(l, b, "name")}, rows of ${place(l, a, "name")}`, 4, 12, 'font-size="11"')
    + `<image href="${painted.toDataURL()}" x="${left}" y="${top}" width="${w}" height="${h}" preserveAspectRatio="none" style="image-rendering:pixelated"/>`
    + rows.map((u, i) => text(label(a, u), left - 4, top + side * (i + 0.75), 'text-anchor="end"')).join("")
    + cols.map((v, j) => text(label(b, v), 0, 0, `transform="translate(${left + side * (j + 0.75)},${top - 4}) rotate(-90)"`)).join("")
    + [-1, -0.5, 0, 0.5, 1].map((v, i) => `<rect x="${left + 40 * i}" y="${top + h + 10}" width="40" height="10" fill="rgb(${colour(v * view.scale, false)})" stroke="#999" stroke-width=".5"/>` + text((v * view.scale).toFixed(2), left + 40 * i + 20, top + h + 32, 'text-anchor="middle"')).join("") + "</svg>\n");
});

const restore = () => {
  const [, state] = /^#explore=(.*)$/.exec(decodeURIComponent(location.hash)) ?? [];
  const [layer, a, b, order, u, v] = state?.split(",") ?? [], l = data.layers[layer];
  if (!l || !(a in l.units) || !(b in l.units)) return false;
  Object.assign(view, { layer: l, a: Number(a), b: Number(b), order });
  $("layer").value = layer;
  $("networks").value = a + "," + b;
  arrange();
  if (u in [...Array(l.units[a]).keys()] && v in [...Array(l.units[b]).keys()]) choose(Number(u), Number(v));
  return true;
};
if (restore()) $("explore").scrollIntoView();
else {
  arrange();
  chooseFirst();
}
addEventListener("hashchange", () => { if (restore()) drawTree(); });
opened = true;
listNames();
drawTree();
})();
