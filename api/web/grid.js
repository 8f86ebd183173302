// The grid: of a list of any length only what is near the eyes is in the page.

import { $, element } from "./base.js";
import { justify, ratio, rowAt, rowOf } from "./layout.js";
import { dress, fill, plain, undress } from "./card.js";

const grid = $("#grid");
const gap = 8, captionHeight = 46;
const fewest = 60; // pictures that are all there
const mostDressed = 100; // cards with all their buttons; beyond that they get them when they are pointed at
const mostCards = 900;
const longest = 16e6; // CSS pixels: beyond that browsers do not scroll
const sizes = { least: 90, most: 480, usual: innerWidth < 600 ? 140 : 220 };
const quickly = 4; // viewport heights a second: pictures are not asked for while they fly by
const small = 130; // below it there is no room for a caption

/** @type {import("./list.js").List | null} */
let list = null;
/** @type {import("./layout.js").Layout} */
let layout = { rows: 0, start: Uint32Array.of(0), top: new Float64Array(1), height: new Float64Array(0), total: 0 };
/** @type {Map<number, import("./card.js").Card>} what is in the page, by place */
const shown = new Map();
let width = 0, caption = 0;
let target = Math.min(Math.max(Number(localStorage.getItem("palate.size")) || sizes.usual, sizes.least), sizes.most);

/** What others want to know of. */
export const hooks = {
  /** @type {(error: Error & {status?: number}) => void} what could not be read */
  failed() {},
  /** @type {() => void} the page rests at another place */
  rested() {},
  /** @type {(card: import("./card.js").Card) => void} a card has come into the page, or has got its buttons */
  placed() {},
  /** @type {() => void} another list is shown, or none */
  opened() {},
};

/** current is the list that is shown, or null. */
export const current = () => list;

/** size is the height of the rows that is aimed at; with a number it is set, and kept for the next visit. */
export function size(to) {
  if (to !== undefined) {
    target = Math.min(Math.max(to, sizes.least), sizes.most);
    localStorage.setItem("palate.size", String(target));
    relayout();
  }
  return target;
}

/** open shows a list from its beginning. */
export function open(of) {
  close();
  list = of;
  grid.classList.add("rows");
  if (list.length) grid.setAttribute("role", "feed");
  arrange();
  render();
}

/** close takes everything out of the page. */
export function close() {
  hooks.opened();
  list = null;
  shown.clear();
  grid.replaceChildren();
  grid.classList.remove("rows");
  grid.removeAttribute("role");
  grid.style.height = "";
}

/** arrange lays the rows out anew. */
function arrange() {
  width = grid.clientWidth;
  const shape = (i) => list.shapes[list.order[i]];
  let rows = target;
  for (;;) {
    caption = rows < small ? 0 : captionHeight;
    layout = justify(list.length, shape, { width, target: Math.min(rows, width), gap, caption });
    if (layout.total <= longest || rows <= 20) break;
    rows *= Math.max(0.5, Math.min(0.95, longest / layout.total)); // smaller, so that the end can be reached
  }
  grid.style.height = `${layout.total}px`;
  grid.classList.toggle("bare", !caption);
}

/** relayout keeps the picture at the top of the window where it is. */
function relayout() {
  if (!list) return;
  const kept = place();
  arrange();
  for (const node of shown.values()) node.classList.remove("placed");
  if (kept && scrollY > 0) goTo(kept);
  render();
}

/** place is where one is: the first picture that is wholly in the window, its distance from the window's top, and its number. */
export function place() {
  if (!list?.length) return null;
  const above = -grid.getBoundingClientRect().top;
  let row = rowAt(layout, above);
  if (layout.top[row] < above - 1 && row + 1 < layout.rows) row++;
  const index = layout.start[row];
  return { id: list.id(list.order[index]), index, dy: layout.top[row] - above };
}

/** goTo scrolls to where place was, or to the picture that has its number by now. */
export function goTo({ id, index, dy }) {
  if (!list?.length) return;
  let i = list.index(id);
  if (i < 0) i = Math.min(index, list.length - 1);
  const top = grid.getBoundingClientRect().top + scrollY;
  scrollTo({ top: top + layout.top[rowOf(layout, i)] - dy, behavior: "instant" });
}

// ---- what is in the page

let lastY = 0, lastTime = 0, later = 0, resting = 0, asked = false;

/** near says which pictures are to be in the page: those in the window, and as many around them as there is room for. */
function near() {
  if (list.length <= fewest) return { from: 0, to: list.length, bare: false };
  const above = -grid.getBoundingClientRect().top;
  for (const around of [1, 0.5, 0.2]) {
    const from = layout.start[rowAt(layout, above - around * innerHeight)];
    const to = layout.start[rowAt(layout, above + (1 + around) * innerHeight) + 1];
    const bare = around === 0.2 && to - from > mostDressed;
    if (to - from <= mostDressed || bare) return { from, to: Math.min(to, from + mostCards), bare };
  }
  return { from: 0, to: 0, bare: true }; // can't be: the last of them returns
}

function render() {
  asked = false;
  if (!list) return;
  const { from, to, bare } = near();
  const now = performance.now(), speed = Math.abs(scrollY - lastY) / innerHeight / Math.max(1, now - lastTime) * 1000;
  const flying = now - lastTime < 200 && speed > quickly;
  lastY = scrollY;
  lastTime = now;
  const wanted = new Set(list.order.subarray(from, to));
  for (const [at, node] of shown) {
    if (wanted.has(at) || node.contains(document.activeElement)) continue;
    node.remove();
    shown.delete(at);
  }
  let row = rowOf(layout, from), x = 0;
  const line = [];
  for (let i = from; i < to; i++) {
    if (i >= layout.start[row + 1]) row++;
    if (i === layout.start[row] || i === from) x = 0;
    const at = list.order[i], height = layout.height[row], wide = height * ratio(list.shapes[at]);
    let node = shown.get(at);
    if (!node) {
      node = plain(list, at);
      shown.set(at, node);
      hooks.placed(node);
    }
    if (!bare) dressed(node);
    else if (node.childElementCount > 1 && !node.matches(":focus-within, :hover")) undress(node);
    setPlace(node, i, x, layout.top[row], wide, height);
    if (!flying) look(node, wide);
    x += wide + gap;
    line.push(node);
  }
  putInOrder(line);
  clearTimeout(later);
  if (flying) later = setTimeout(schedule, 80);
  else describe(from, to);
  clearTimeout(resting);
  resting = setTimeout(() => hooks.rested(), 250);
}

/** dressed gives a card all that it has. */
function dressed(node) {
  if (node.childElementCount > 1) return;
  dress(node);
  hooks.placed(node);
}

/** setPlace moves a card to where it stands. */
function setPlace(node, i, x, y, w, h) {
  const key = `${i} ${x} ${y} ${w} ${h}`;
  if (node.placedAt === key) return;
  node.placedAt = key;
  node.setAttribute("aria-posinset", i + 1);
  node.setAttribute("aria-setsize", list.length);
  Object.assign(node.style, { transform: `translate(${x}px, ${y}px)`, width: `${w}px`, height: `${h + caption}px` });
  node.firstElementChild.style.height = `${h}px`;
}

/** putInOrder makes the order in the page that of the list, as Tab and screen readers go. */
function putInOrder(line) {
  let at = grid.firstElementChild;
  for (const node of line) {
    while (at && at !== node && !line.includes(at) && at.contains(document.activeElement)) at = at.nextElementSibling;
    if (at === node) at = at.nextElementSibling;
    else grid.insertBefore(node, at);
  }
}

/** look asks for a card's picture, as wide as it is shown. */
function look(node, shownWidth) {
  const picture = node.firstElementChild, need = shownWidth * Math.min(devicePixelRatio, 3);
  const best = need > 700 ? 1280 : need > 350 ? 640 : 320;
  if (Number(picture.dataset.width ?? 0) >= best) return;
  picture.dataset.width = best;
  picture.src = `/v1/images/${node.dataset.id}/thumbnail?width=${best}`;
}

/** describe fills the cards with what is known of their pictures. */
async function describe(from, to) {
  const of = list, places = of.order.slice(from, to);
  try {
    await of.load(places);
  } catch (error) {
    return hooks.failed(error);
  }
  if (list !== of) return undefined;
  for (const at of places) {
    const node = shown.get(at), item = of.known(at);
    if (node && item && node.item !== item) fill(node, item);
  }
  return undefined;
}

function schedule() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(render);
}

addEventListener("scroll", schedule, { passive: true });
new ResizeObserver(() => { if (list && grid.clientWidth !== width) relayout(); }).observe(grid);
for (const kind of ["pointerover", "focusin"]) {
  grid.addEventListener(kind, (event) => {
    const node = event.target.closest(".card");
    if (node && list && shown.get(node.place) === node) dressed(node);
  });
}

// ---- one card after the other

/** cardOf is the card of a picture, if it is in the page. */
export function cardOf(id) {
  return grid.querySelector(`[data-id="${CSS.escape(id)}"]`);
}

/** indexOf is where a card stands in the list. */
export function indexOf(node) {
  return list && node ? list.order.indexOf(node.place) : -1;
}

/** focus moves to the i-th picture, wherever it is. */
export function focus(i) {
  if (!list?.length) return;
  const at = Math.max(0, Math.min(list.length - 1, i)), row = rowOf(layout, at);
  const header = $("header"), covered = getComputedStyle(header).position === "sticky" ? header.offsetHeight : 0;
  const top = grid.getBoundingClientRect().top + layout.top[row], bottom = top + layout.height[row] + caption;
  if (top < covered + gap) scrollBy({ top: top - covered - gap, behavior: "instant" });
  else if (bottom > innerHeight - gap) scrollBy({ top: bottom - innerHeight + gap, behavior: "instant" });
  render();
  shown.get(list.order[at])?.focus({ preventScroll: true });
}

/** moves are the keys that lead to another picture. */
export const moves = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/** beside is the number of the picture that an arrow key leads to from the i-th. */
export function beside(i, key) {
  if (key === "ArrowLeft") return i - 1;
  if (key === "ArrowRight") return i + 1;
  if (key === "Home") return 0;
  if (key === "End") return list.length - 1;
  const row = rowOf(layout, i), to = row + (key === "ArrowDown" ? 1 : -1);
  if (to < 0 || to >= layout.rows) return i;
  // The one below the middle of this one.
  const middle = left(row, i) + across(row, i) / 2;
  let best = layout.start[to];
  for (let k = best, x = 0; k < layout.start[to + 1]; k++) {
    if (x <= middle) best = k;
    x += across(to, k) + gap;
  }
  return best;
}

const across = (row, i) => ratio(list.shapes[list.order[i]]) * layout.height[row];

function left(row, i) {
  let x = 0;
  for (let k = layout.start[row]; k < i; k++) x += across(row, k) + gap;
  return x;
}

/** remove takes pictures out of the list and the page. */
export function remove(places) {
  list.remove(places);
  for (const at of places) {
    shown.get(at)?.remove();
    shown.delete(at);
  }
  arrange();
  render();
}

/** insert brings pictures back to where they were. */
export function insert(places) {
  list.insert(places);
  arrange();
  render();
}

/** refresh shows anew what is known of the pictures. */
export const refresh = schedule;

/** known gives a card once it is known what its picture is. */
export async function known(node) {
  const of = list;
  if (node.image || node.place === undefined || !of) return node;
  await of.load([node.place]);
  const item = of.known(node.place);
  if (item) fill(node, item);
  return node;
}

export function slider() {
  const input = element("input", { type: "range", id: "size", min: sizes.least, max: sizes.most, step: 10, value: target, title: "Size of the pictures" });
  input.setAttribute("aria-label", "Size of the pictures");
  input.addEventListener("input", () => size(Number(input.value)));
  return input;
}
