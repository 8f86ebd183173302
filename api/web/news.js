// New for you: what crawls and subscriptions brought since one last said that all is seen.

import { $, call, element, orTell, say } from "./base.js";
import { nameOf } from "./card.js";
import { madeAt } from "./list.js";
import { profilePath, state } from "./state.js";

const line = $("#news"), month = 30 * 24 * 3600e3;
const key = () => `palate.seen.${state.profile}`;
let made = 0; // when the list that is shown was made, by the server's clock

/** wanted is what a list of what is new asks for (openapi.yaml, SnapshotInput). */
export const wanted = () => ({ crawled: true, added_after: localStorage.getItem(key()) ?? new Date(Date.now() - month).toISOString() });

/** showNews says since when it is, or hides that without a list. */
export function showNews(list) {
  line.hidden = !list;
  if (!list) return;
  made = madeAt(list);
  const { added_after } = wanted();
  $(".since", line).textContent = `${list.length ? "What crawls and subscriptions brought" : "Nothing was brought"} since ${new Date(added_after).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}${list.length ? ", with what each is most like of what you like." : "."}`;
  $(".seen", line).disabled = !list.length;
}

/** kin shows on a card what its picture is most like. */
export function kin(node, item) {
  const nearest = item.nearest_likes?.[0]?.image;
  if (!nearest || $(".kin", node)) return;
  const small = element("img", { className: "kin", src: nearest.thumbnail_url, alt: `Most like ${nameOf(nearest)}`, title: `Most like ${nameOf(nearest)}`, loading: "lazy" });
  node.append(small);
}

/** What the page does when all was seen. */
export const hooks = { seen() {} };

$(".seen", line).addEventListener("click", () => {
  localStorage.setItem(key(), new Date(made).toISOString());
  hooks.seen();
});
$(".feed", line).addEventListener("click", () => orTell(call(`${profilePath()}/feed-addresses`, { method: "POST" }).then(({ url }) => say(`For a feed reader: ${url}`))));
