// The map: a list on a plane, what is alike near together (openapi.yaml, getSnapshotMap).

import { $, call, element, orTell, tell } from "./base.js";
import { described, nameOf } from "./card.js";
import { ended } from "./events.js";
import * as route from "./route.js";

const section = $("#map"), canvas = $("canvas", section), told = $(".told", section), strip = $(".strip", section), colour = $("select", section);
const whole = 65535, nowhere = 65535;
const mostThumbnails = 150, mostKept = 600, mostNamed = 24;
const verdicts = [["not judged", "#8a8f98"], ["liked", "#e0483c"], ["disliked", "#4a7fc0"], ["skipped", "#c9a227"]];

/** @type {{list: import("./list.js").List, x: Uint16Array, y: Uint16Array, verdict: Uint8Array, groups: Map<string, number[]>, tint: string[]} | null} */
let shown = null;
let look = { x: whole / 2, y: whole / 2, scale: 1 }; // what is in the middle, and pixels a unit
const thumbnails = new Map();

/** showMap shows a list; still says whether that is wanted when the answers come. */
export async function showMap(list, still) {
  shown = null;
  const made = await call("/map");
  if (!still()) return;
  section.hidden = false;
  $(".plane", section).hidden = strip.hidden = !made.pictures;
  $(".make", section).textContent = made.pictures ? "Make it anew" : "Make the map";
  if (!made.pictures) return void (told.textContent = "No map of the collection was made yet. It takes seconds for thousands of pictures, and about a minute for a hundred thousand.");
  const packed = await call(`${list.path}/map`, { bytes: true }), n = list.length;
  if (!still()) return;
  shown = { list, x: new Uint16Array(packed, 8, n), y: new Uint16Array(packed, 8 + 2 * n, n), verdict: new Uint8Array(packed, 8 + 4 * n, n), groups: new Map(), tint: [] };
  const missing = shown.x.reduce((sum, x) => sum + Number(x === nowhere), 0);
  told.textContent = `Made ${new Date(made.made_at).toLocaleDateString()} of ${made.pictures.toLocaleString()} pictures. Trustworthiness of ten neighbours: ${made.trustworthiness.toFixed(2)} of 1.${missing ? ` ${missing.toLocaleString()} of the ${n.toLocaleString()} pictures of this list are not on it.` : ""}`;
  group();
  fit();
}

/** hideMap takes it away. */
export function hideMap() {
  section.hidden = true;
  shown = null;
  thumbnails.clear();
}

/** group sorts the pictures by their colour. */
function group() {
  const byVerdict = colour.value === "verdict", { list, x, verdict, groups } = shown;
  groups.clear();
  for (let i = 0; i < x.length; i++) {
    if (x[i] === nowhere) continue;
    const chance = list.chance(i);
    const tint = byVerdict ? verdicts[verdict[i]][1] : chance === undefined ? verdicts[0][1] : tintOf(Math.round(chance / 10) / 10);
    if (!groups.has(tint)) groups.set(tint, []);
    groups.get(tint).push(i);
    shown.tint[i] = tint;
  }
  $(".legend", section).textContent = byVerdict ? "Red is liked, blue disliked, yellow skipped, grey not judged." : "From blue, which you hardly like, over grey to red, which you like.";
}

/** tintOf goes from blue over grey to red. */
const tintOf = (p) => `hsl(${p < 0.5 ? 215 : 5} ${Math.round(Math.abs(p - 0.5) * 150)}% 55%)`;

/** fit shows all that is on the map, as large as the canvas lets it be. */
function fit() {
  const { clientWidth: w, clientHeight: h } = canvas, { x, y } = shown;
  let [left, top, right, bottom] = [whole, whole, 0, 0];
  for (let i = 0; i < x.length; i++) {
    if (x[i] === nowhere) continue;
    left = Math.min(left, x[i]);
    right = Math.max(right, x[i]);
    top = Math.min(top, y[i]);
    bottom = Math.max(bottom, y[i]);
  }
  if (left > right) [left, top, right, bottom] = [0, 0, whole, whole];
  const least = whole / 50; // one picture alone does not fill it
  look = { x: (left + right) / 2, y: (top + bottom) / 2, scale: 0.9 * Math.min(w / Math.max(right - left, least), h / Math.max(bottom - top, least)) };
  draw();
}

const onScreen = (i) => [(shown.x[i] - look.x) * look.scale + canvas.clientWidth / 2, (shown.y[i] - look.y) * look.scale + canvas.clientHeight / 2];

/** inView are the places whose points are in the canvas, the nearest to its middle first where there are few. */
function inView() {
  const { clientWidth: w, clientHeight: h } = canvas, found = [];
  for (let i = 0; i < shown.x.length; i++) {
    if (shown.x[i] === nowhere) continue;
    const x = (shown.x[i] - look.x) * look.scale + w / 2, y = (shown.y[i] - look.y) * look.scale + h / 2;
    if (x >= 0 && y >= 0 && x <= w && y <= h) found.push(i);
  }
  const off = (i) => Math.hypot(shown.x[i] - look.x, shown.y[i] - look.y);
  return found.length > 5000 ? found : found.sort((a, b) => off(a) - off(b));
}

let drawing = 0, resting = 0;

/** draw draws with the next frame, and names what is in view when it rests. */
function draw() {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(paint);
  clearTimeout(resting);
  resting = setTimeout(() => { if (shown) orTell(name()); }, 250);
}

function paint() {
  if (!shown) return;
  const ratio = devicePixelRatio, { clientWidth: w, clientHeight: h } = canvas, pen = canvas.getContext("2d");
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  dots(pen, Math.round(ratio * Math.max(2, Math.min(7, look.scale * 400), Math.min(8, Math.sqrt(w * h / shown.x.length) / 8)))); // larger where there are few
  pen.scale(ratio, ratio);
  const near = inView();
  canvas.dataset.inView = near.length;
  if (near.length > mostThumbnails) return;
  const side = thumbnailSide();
  pen.lineWidth = 2;
  for (const i of near.reverse()) { // what is in the middle lies above
    const image = thumbnail(i), [x, y] = onScreen(i);
    if (!image.complete || !image.naturalWidth) continue;
    pen.strokeStyle = shown.tint[i];
    const by = side / Math.max(image.naturalWidth, image.naturalHeight), iw = image.naturalWidth * by, ih = image.naturalHeight * by;
    pen.drawImage(image, x - iw / 2, y - ih / 2, iw, ih);
    pen.strokeRect(x - iw / 2, y - ih / 2, iw, ih);
  }
}

/** dots sets the pixels of all points, a square each: drawn as rectangles, a hundred thousand took most of a second. */
function dots(pen, side) {
  const { width, height } = canvas, ratio = devicePixelRatio, by = look.scale * ratio, { x, y } = shown;
  const left = canvas.clientWidth * ratio / 2 - look.x * by - side / 2, top = canvas.clientHeight * ratio / 2 - look.y * by - side / 2;
  const pixels = pen.createImageData(width, height), to = new Uint32Array(pixels.data.buffer);
  for (const [tint, places] of shown.groups) {
    const colour = pixelOf(tint);
    for (const i of places) {
      const atX = Math.round(x[i] * by + left), atY = Math.round(y[i] * by + top);
      if (atX < 0 || atY < 0 || atX + side > width || atY + side > height) continue;
      for (let row = 0; row < side; row++) to.fill(colour, (atY + row) * width + atX, (atY + row) * width + atX + side);
    }
  }
  pen.putImageData(pixels, 0, 0);
}

const known = new Map();

/** pixelOf is a colour as a pixel has it. */
function pixelOf(tint) {
  if (!known.has(tint)) {
    const pen = element("canvas", { width: 1, height: 1 }).getContext("2d");
    pen.fillStyle = tint;
    pen.fillRect(0, 0, 1, 1);
    known.set(tint, new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0]);
  }
  return known.get(tint);
}

const thumbnailSide = () => Math.max(36, Math.min(120, look.scale * 6000));

function thumbnail(i) {
  let image = thumbnails.get(i);
  if (!image) {
    image = element("img", { src: `/v1/images/${shown.list.id(i)}/thumbnail?width=320` });
    image.addEventListener("load", draw);
    thumbnails.set(i, image);
    if (thumbnails.size > mostKept) thumbnails.delete(thumbnails.keys().next().value);
  }
  return image;
}

/** name lists what is in view, for those who don't see it and those who would rather read. */
async function name() {
  const { list } = shown, near = inView(), places = near.slice(0, mostNamed);
  $(".count", section).textContent = `${near.length.toLocaleString()} in view`;
  await list.load(places);
  if (shown?.list !== list) return;
  strip.replaceChildren(...places.map((i) => list.known(i)).filter(Boolean).map(({ image }) => {
    const link = element("a", { href: route.address(image.id), title: nameOf(image) });
    link.append(element("img", { src: image.thumbnail_url, alt: described(image), loading: "lazy" }), nameOf(image));
    return link;
  }));
}

/** zoom by a factor about a point of the canvas. */
function zoom(by, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.max(1e-3, Math.min(2, look.scale * by)), dx = x - canvas.clientWidth / 2, dy = y - canvas.clientHeight / 2;
  look = { x: look.x + dx / look.scale - dx / scale, y: look.y + dy / look.scale - dy / scale, scale };
  draw();
}

function pan(dx, dy) {
  look.x -= dx / look.scale;
  look.y -= dy / look.scale;
  draw();
}

/** at opens the picture at a point of the canvas: the uppermost of those that are drawn there, or the nearest point. */
function at(x, y) {
  const near = inView(), side = thumbnailSide();
  const far = (i) => { const [px, py] = onScreen(i); return Math.hypot(px - x, py - y); };
  const covers = (i) => {
    const [px, py] = onScreen(i), { naturalWidth: w, naturalHeight: h } = thumbnail(i), by = side / Math.max(w, h) / 2;
    return Math.abs(px - x) <= w * by && Math.abs(py - y) <= h * by;
  };
  const drawn = near.length > mostThumbnails ? undefined : near.find(covers);
  const hit = drawn ?? near.reduce((best, i) => far(i) < (best < 0 ? 12 : far(best)) ? i : best, -1);
  if (hit >= 0) location.hash = route.address(shown.list.id(hit));
}

// ---- hands and keys

const fingers = new Map();
let moved = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (!fingers.size) moved = 0;
  fingers.set(event.pointerId, event);
});
canvas.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before || !shown) return;
  const dx = event.offsetX - before.offsetX, dy = event.offsetY - before.offsetY, [other] = [...fingers.values()].filter((f) => f.pointerId !== event.pointerId);
  moved += Math.abs(dx) + Math.abs(dy);
  fingers.set(event.pointerId, event);
  pan(dx / fingers.size, dy / fingers.size);
  if (other) {
    const span = (f) => Math.max(20, Math.hypot(f.offsetX - other.offsetX, f.offsetY - other.offsetY));
    zoom(span(event) / span(before), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
  }
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => {
    if (fingers.delete(event.pointerId) && end === "pointerup" && moved < 6 && shown) at(event.offsetX, event.offsetY);
  });
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (shown) zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
}, { passive: false });

const steps = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
function press(key) {
  if (steps[key]) pan(...steps[key]);
  else if (key === "+" || key === "=") zoom(1.5);
  else if (key === "-") zoom(1 / 1.5);
  else if (key === "0") fit();
  else if (key === "Enter") at(canvas.clientWidth / 2, canvas.clientHeight / 2);
  else return false;
  return true;
}
canvas.addEventListener("keydown", (event) => {
  if (!shown || event.ctrlKey || event.metaKey || event.altKey || !press(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
});
for (const button of section.querySelectorAll("[data-key]")) button.addEventListener("click", () => { if (shown) press(button.dataset.key); });
colour.addEventListener("change", () => { if (shown) { group(); draw(); } });
addEventListener("resize", () => { if (shown) draw(); });

// ---- making it

/** What the page does when a map was made. */
export const hooks = { made() {} };

async function make(button) {
  button.disabled = true;
  try {
    told.textContent = "The map is being made …";
    const job = await ended(await call("/jobs", { method: "POST", body: { kind: "map" } }), ({ done, total }) => {
      if (total) told.textContent = `The map is being made: ${Math.round(100 * done / total)} % …`;
    });
    if (job.state !== "succeeded") tell(job.error || "The map was not made.");
    if (!section.hidden) hooks.made();
  } finally {
    button.disabled = false;
  }
}
$(".make", section).addEventListener("click", (event) => orTell(make(event.target)));
