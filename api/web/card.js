// A picture of the grid, with its buttons and what is said of it.

import { $, element } from "./base.js";
import { kin } from "./news.js";

const paths = {
  dislike: "M5 5 19 19M19 5 5 19",
  like: "M12 20C5 15 3 11.500 3 8.500A4.500 4.500 0 0 1 12 7a4.500 4.500 0 0 1 9 1.500C21 11.500 19 15 12 20Z",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
};
const drawing = "http://www.w3.org/2000/svg";

function icon(name) {
  const svg = document.createElementNS(drawing, "svg"), path = document.createElementNS(drawing, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}

/** nameOf is what a picture is called. */
export const nameOf = (image) => image?.title || "Untitled";

/** described says what a picture is to those who don't see it. */
export const described = (image) => image.artist ? `${nameOf(image)} by ${image.artist}` : nameOf(image);

/** damage says what is lost of a picture that came damaged. */
export const damage = (image) => `Damaged: ${image.damage}.`;

/** verdictButtons are the two buttons of a picture. */
export function verdictButtons(image) {
  const holder = element("div", { className: "verdicts" });
  for (const [verdict, key] of [["dislike", "D"], ["like", "L"]]) {
    const button = element("button", { type: "button", className: verdict });
    button.append(icon(verdict));
    button.setAttribute("aria-pressed", "false");
    holder.append(button);
    nameButton(button, verdict === "like" ? "Like" : "Dislike", key, image);
  }
  return holder;
}

/** starButtons give a picture stars. */
export function starButtons(image) {
  const holder = element("div", { className: "stars" });
  holder.setAttribute("role", "group");
  holder.setAttribute("aria-label", `Stars for ${nameOf(image)}`);
  for (let n = 1; n <= 5; n++) {
    const button = element("button", { type: "button", value: String(n), textContent: "★", title: `${n} of 5 stars (${n})` });
    button.setAttribute("aria-label", n === 1 ? "1 star" : `${n} stars`);
    holder.append(button);
  }
  return holder;
}

function nameButton(button, what, key, image) {
  button.title = `${what} (${key})`;
  button.setAttribute("aria-label", image ? `${what} ${nameOf(image)}` : what);
}

/**
 * @typedef {HTMLElement & {place: number, chance?: number, trashed?: import("./base.js").Picture, item?: import("./list.js").Item,
 *   image?: import("./base.js").Picture, score?: number}} Card a picture of the grid; image, score and item once they are known
 */

/**
 * plain is the least that a card has: its picture.
 * @returns {Card}
 */
export function plain(list, place) {
  const node = element("article", { className: "card", tabIndex: 0 });
  node.place = place;
  node.dataset.id = list.id(place);
  node.chance = list.chance(place);
  node.append(element("img", { alt: "", decoding: "async", draggable: false }));
  return node;
}

/** dress gives a card its buttons and its caption. */
export function dress(node) {
  if (node.childElementCount > 1) return;
  const remover = element("button", { type: "button", className: "delete" });
  remover.append(icon("delete"));
  nameButton(remover, "Delete", "Del");
  const meta = element("div", { className: "meta" });
  for (const name of ["title", "artist", "given", "damaged", "odds"]) meta.append(element("span", { className: name, dir: "auto", hidden: name === "damaged" || name === "odds" }));
  $(".given", meta).setAttribute("role", "img");
  const select = element("button", { type: "button", className: "select" });
  nameButton(select, "Select", "Space");
  select.setAttribute("aria-pressed", "false");
  node.append(select, verdictButtons(), remover, meta);
  const odds = $(".odds", meta);
  if (node.chance !== undefined) {
    odds.hidden = false;
    odds.textContent = `${node.chance} %`;
    odds.title = "How likely you are to like it";
  }
  if (node.item) fill(node, node.item);
}

/** undress leaves a card its picture alone. */
export function undress(node) {
  while (node.childElementCount > 1) node.lastElementChild.remove();
}

/**
 * fill says on a card what is known of its picture.
 * @param {Card} node
 * @param {import("./list.js").Item} item
 */
export function fill(node, item) {
  const { image } = item, name = nameOf(image);
  node.item = item;
  node.image = image;
  node.score = item.score;
  $("img", node).alt = described(image);
  node.setAttribute("aria-label", item.copies ? `${described(image)}, and ${copiesOf(item.copies)}` : described(image));
  showVerdict(node, image);
  if (node.childElementCount === 1) return;
  $(".title", node).textContent = name;
  $(".title", node).title = name;
  $(".artist", node).textContent = image.artist;
  $(".damaged", node).hidden = !image.damage;
  $(".damaged", node).textContent = image.damage ? "damaged" : "";
  if (image.damage) $(".damaged", node).title = damage(image);
  copies(node, item.copies);
  nameButton($(".like", node), "Like", "L", image);
  nameButton($(".dislike", node), "Dislike", "D", image);
  nameButton($(".delete", node), "Delete", "Del", image);
  nameButton($(".select", node), "Select", "Space", image);
  kin(node, item);
}

/** copies says on a card how many others of its work are left out. */
function copies(node, n) {
  if (!n || $(".copies", node)) return;
  const count = element("span", { className: "copies", textContent: `+${n}`, title: `${copiesOf(n)}: the large view shows ${n === 1 ? "it" : "them"}` });
  count.setAttribute("aria-hidden", "true"); // the card's name says it
  node.append(count);
}

const copiesOf = (n) => n === 1 ? "1 copy" : `${n} copies`;

/**
 * showVerdict marks what a picture is judged as.
 * @param {Element} node
 * @param {Pick<import("./base.js").Picture, "verdict" | "stars">} judged
 */
export function showVerdict(node, { verdict, stars }) {
  node.classList.toggle("skip", verdict === "skip");
  for (const v of ["like", "dislike"]) {
    node.classList.toggle(v, verdict === v);
    $("." + v, node)?.setAttribute("aria-pressed", verdict === v);
  }
  const given = $(".given", node);
  if (given) {
    given.textContent = "★".repeat(stars ?? 0);
    given.setAttribute("aria-label", stars ? `${stars} of 5 stars` : "");
  }
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (node.querySelectorAll(".stars button"))) button.setAttribute("aria-pressed", String(Number(button.value) <= (stars ?? 0)));
}
