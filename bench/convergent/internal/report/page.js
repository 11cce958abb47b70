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
for (const f of document.querySelectorAll("figure")) {
  const name = f.dataset.name;
  const svg = f.querySelector(".svg"), csv = f.querySelector(".csv");
  svg.setAttribute("aria-label", "Download " + name + " as SVG");
  svg.addEventListener("click", () => save(name + ".svg", f.querySelector("img").src));
  csv?.setAttribute("aria-label", "Download the data of " + name + " as CSV");
  csv?.addEventListener("click", () => saveText(name + ".csv", "text/csv", data.tables[name]));
}

// Tables sort by a column: numbers by their first number, words as words.
const sortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((th, column) => {
    const button = make("button", { type: "button" }, ...th.childNodes);
    th.append(button);
    button.addEventListener("click", () => {
      const down = th.getAttribute("aria-sort") === "descending" ? 1 : -1;
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      th.setAttribute("aria-sort", down < 0 ? "descending" : "ascending");
      const key = (row) => {
        const text = row.cells[column].textContent.trim();
        const n = parseFloat(text.replace("−", "-"));
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
const view = { layer: data.layers[0], a: 0, b: 1, order: "one", rows: [], cols: [], zoom: 1, x: 0, y: 0, at: null, chosen: null };
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
};

// The matrix is painted once, a pixel a pair, and drawn enlarged.
const canvas = $("matrix"), context = canvas.getContext("2d");
const painted = document.createElement("canvas");
const colour = (v, dim) => {
  const ends = dim ? [[255, 120, 100], [95, 175, 255], [31, 33, 35]] : [[160, 20, 35], [15, 75, 150], [255, 255, 255]];
  const end = v < 0 ? ends[1] : ends[0], t = Math.min(1, Math.abs(v));
  return end.map((c, k) => Math.round(ends[2][k] + t * (c - ends[2][k])));
};
const paint = () => {
  const { layer: l, a, b, rows, cols } = view;
  painted.width = Math.max(1, cols.length);
  painted.height = Math.max(1, rows.length);
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
  if (l.filters) {
    pictures.append(picture(l.filters[net], unit, 0));
    pictures.lastChild.setAttribute("role", "img");
    pictures.lastChild.setAttribute("aria-label", "its filter");
  }
  if (l.patches) {
    for (let k = 0; k < l.patches[net].each; k++) pictures.append(picture(l.patches[net], unit, k));
    pictures.setAttribute("aria-label", "the image patches that activate it most");
    pictures.setAttribute("role", "group");
  }
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

// The tree: what was joined last first, each group opening into its two parts.
const listTree = () => {
  const l = view.layer, n = l.units[0] + l.units[1], tree = $("tree");
  const sizes = (node) => node < l.units[0] ? [1, 0] : node < n ? [0, 1] : sizesOf[node - n];
  const sizesOf = [];
  const inner = new Set();
  l.merges.forEach(([x, y]) => {
    const [p, q] = [sizes(x), sizes(y)];
    sizesOf.push([p[0] + q[0], p[1] + q[1]]);
    inner.add(x);
    inner.add(y);
  });
  const leaf = (node) => {
    const net = node < l.units[0] ? 0 : 1, unit = net ? node - l.units[0] : node;
    const button = make("button", { type: "button", className: "leaf", textContent: shortName(l, net, unit), title: fullName(l, net, unit) });
    button.addEventListener("click", () => {
      $("networks").value = "0,1";
      Object.assign(view, { a: 0, b: 1 });
      arrange();
      const p = pairOf();
      const partner = net ? p.one.indexOf(unit) : p.one[unit];
      if (partner >= 0) choose(net ? partner : unit, net ? unit : partner);
      else $("pair").replaceChildren(make("p", { textContent: "It has no partner." }), card(net, unit));
    });
    return button;
  };
  const node = (k) => {
    if (k < n) return leaf(k);
    const [x, y, height] = l.merges[k - n], [p, q] = sizesOf[k - n];
    const d = make("details", {}, make("summary", { textContent: `${p} and ${q} units, mean weight ${height.toPrecision(2)}` }));
    const open = () => { if (d.children.length === 1) d.append(node(x), node(y)); };
    d.addEventListener("toggle", () => { if (d.open) open(); });
    d.fillTree = open;
    return d;
  };
  const roots = l.merges.map((_, k) => n + k).filter((k) => !inner.has(k)).reverse();
  tree.replaceChildren(...roots.map(node));
  if (!roots.length) tree.textContent = "No unit predicts another at this penalty.";
};
const openAll = (at) => {
  for (const d of at.querySelectorAll(":scope > details")) {
    d.fillTree();
    d.open = true;
    openAll(d);
  }
};
$("open-tree").addEventListener("click", () => openAll($("tree")));
$("close-tree").addEventListener("click", () => { for (const d of $("tree").querySelectorAll("details")) d.open = false; });

$("layer").addEventListener("change", (e) => {
  Object.assign(view, { layer: data.layers[Number(e.target.value)], chosen: null });
  $("pair").replaceChildren(make("p", { textContent: "No pair is chosen." }));
  arrange();
  listTree();
});
$("networks").addEventListener("change", (e) => {
  [view.a, view.b] = e.target.value.split(",").map(Number);
  view.chosen = null;
  arrange();
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
  const { rows, cols } = view, w = cols.length, h = rows.length;
  saveText(title() + ".svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${6 * w}" height="${6 * h}"><image href="${painted.toDataURL()}" width="${w}" height="${h}" style="image-rendering:pixelated"/></svg>\n`);
});

arrange();
listTree();
})();
