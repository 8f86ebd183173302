// The page of palate. It uses nothing but the public API (openapi.yaml).

import { $, call, element, orTell, say, tell } from "./base.js";
import { emptyTrash, restore, restoreCard, showTrash } from "./trash.js";
import { leaveWork, showWork } from "./work.js";

const grid = $("#grid"), end = $("#end"), viewer = $("#viewer");

const state = {
  view: "newest", // scores, newest, liked, teach, trash or work
  profile: "me",
  unrated: false,
  search: "",
  cursor: null, // of the next page; null is the first, undefined that there is none
  probeVersion: null,
  loading: null, // AbortController of the page on its way
  queue: [], // what Teach asks next; the first is shown
  asking: null, // the promise of more of it
  chosen: false, // the person chose a view: the page chooses none then
  begun: false, // the first view is known
  counts: { like: 0, dislike: 0 }, // standing verdicts of the profile
  taste: "", // what is said of the taste behind the counts
  judged: 0, // verdicts since the page was opened
  unsent: [], // verdicts that wait for the server
  list: 0, // counts the lists that were begun
  done: [], // what U takes back, the last at the end: deletions, verdicts that were taken back, and null for a verdict
};

const gridViews = new Set(["scores", "newest", "liked"]);

const profilePath = () => "/profiles/" + encodeURIComponent(state.profile);

// ---- the grid

function pageAddress() {
  const query = new URLSearchParams({ limit: 48 });
  if (state.cursor) query.set("cursor", state.cursor);
  if (state.view === "scores") {
    if (state.unrated) query.set("judged", "unrated");
    return `${profilePath()}/scores?${query}`;
  }
  query.set("profile", state.profile);
  if (state.search) query.set("q", state.search);
  if (state.view === "liked") query.set("judged", "liked");
  else if (state.unrated) query.set("judged", "unrated");
  return `/images?${query}`;
}

async function loadPage() {
  if (!gridViews.has(state.view) || !state.begun) return;
  if (state.loading || state.cursor === undefined) return;
  const abort = state.loading = new AbortController();
  try {
    const page = await call(pageAddress(), { signal: abort.signal });
    if (abort.signal.aborted) return;
    const entries = page.scores ?? page.images.map((image) => ({ image }));
    state.probeVersion = page.probe_version || null;
    showOrder(page);
    state.cursor = page.next_cursor;
    grid.append(...entries.map(card));
    if (state.cursor === undefined) {
      end.hidden = false;
      end.textContent = grid.childElementCount ? "That is all." : await nothingHere();
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 410) return restart(); // the ranking it began in is gone
    state.cursor = undefined;
    if (error.status === 409 && state.view === "scores") {
      end.hidden = false;
      end.textContent = "Like a few pictures under “Newest”, and those nearest to them come first here; with a few dozen likes and dislikes “Learn my taste” learns what you like.";
      return;
    }
    throw error;
  } finally {
    if (state.loading === abort) state.loading = null;
  }
  if (nearEnd()) await loadPage();
}

/** showOrder says what the list goes by, and offers the newer taste where there is one. */
function showOrder(page) {
  const order = $("#order");
  order.replaceChildren();
  if (page.provisional) order.append(page.provisional.note);
  if (page.newer_version) {
    const button = element("button", { type: "button", textContent: "Show it" });
    button.addEventListener("click", () => restart());
    order.append(" A newer taste has been learned. ", button);
  }
  order.hidden = !order.hasChildNodes();
}

async function nothingHere() {
  if (state.search) return "No title and no artist matches.";
  const { images } = await call("/images?limit=1");
  if (!images.length) return "There are no pictures yet: palate crawl, or palate import.";
  if (state.view === "liked") return "Nothing is liked yet.";
  if (state.unrated) return "Everything has been judged.";
  return "Nothing is embedded yet: palate embed.";
}

const nearEnd = () => $("#more").getBoundingClientRect().top < innerHeight + 800;

function restart() {
  state.list++;
  state.loading?.abort();
  state.loading = null;
  state.cursor = null;
  grid.replaceChildren();
  end.hidden = true;
  tell("");
  showOrder({});
  for (const tab of document.querySelectorAll(".tab")) tab.setAttribute("aria-pressed", tab.dataset.view === state.view);
  const teaching = state.view === "teach", trash = state.view === "trash", work = state.view === "work";
  $("#search").hidden = state.view === "scores" || !gridViews.has(state.view);
  $(".unrated").hidden = state.view === "liked" || !gridViews.has(state.view);
  $("#teach").hidden = true;
  $("#trash").hidden = !trash;
  state.queue = [];
  state.asking = null;
  $("#work").hidden = !work;
  if (work) return orTell(showWork(() => state.view === "work", state.profile));
  leaveWork();
  if (trash) return orTell(showTrash(() => state.view === "trash"));
  return orTell(teaching ? ask() : loadPage());
}

function card({ image, score, probability }) {
  const node = $("#card").content.cloneNode(true).firstElementChild;
  const name = image.title || "Untitled";
  node.dataset.id = image.id;
  node.image = image;
  node.score = score;
  const picture = $("img", node);
  picture.src = image.thumbnail_url;
  picture.srcset = `${image.thumbnail_url} 1x, ${image.thumbnail_url.split("?")[0]}?width=640 2x`;
  picture.alt = image.artist ? `${name} by ${image.artist}` : name;
  $(".title", node).textContent = name;
  $(".title", node).title = name;
  $(".artist", node).textContent = image.artist;
  $(".damaged", node).hidden = !image.damage;
  if (image.damage) $(".damaged", node).title = damage(image);
  if (probability !== undefined && probability !== null) {
    const odds = $(".odds", node);
    odds.hidden = false;
    odds.textContent = Math.round(100 * probability) + " %";
    odds.title = "How likely you are to like it";
  }
  showVerdict(node, image.verdict);
  return node;
}

/** damage says what is lost of a picture that came damaged. */
const damage = (image) => `Damaged: ${image.damage}.`;

function showVerdict(node, verdict) {
  node.classList.toggle("skip", verdict === "skip");
  for (const v of ["like", "dislike"]) {
    node.classList.toggle(v, verdict === v);
    $("." + v, node)?.setAttribute("aria-pressed", verdict === v);
  }
}

// ---- judging

/** judge notes a verdict; toggle takes back the one that stands, as a pressed button does. */
async function judge(image, verdict, score, toggle) {
  const path = `${profilePath()}/ratings/${image.id}`;
  const takeBack = toggle && image.verdict === verdict;
  if (!takeBack && image.verdict === verdict) return;
  if (takeBack) {
    await send(path, { method: "DELETE" });
  } else {
    const body = { verdict, shown: state.view === "scores" ? "queue:top" : "gallery" };
    if (state.probeVersion && score !== undefined) Object.assign(body, { probe_version: state.probeVersion, score });
    await send(path, { method: "PUT", body });
  }
  const before = image.verdict;
  state.done.push(takeBack ? { image, withdrawn: verdict, score } : null);
  image.verdict = takeBack ? undefined : verdict;
  showEverywhere(image.id, image.verdict);
  recount(before, image.verdict);
}

/** recount changes the counts that are shown by one verdict; what a new taste says of itself is asked for now and then. */
function recount(before, now) {
  const counts = state.counts;
  if (before in counts) counts[before]--;
  if (now in counts) counts[now]++;
  if (++state.judged % 10 === 0) return void orTell(showTaste());
  showCounts();
}

function showCounts() {
  $("#taste").textContent = `${state.counts.like} liked, ${state.counts.dislike} disliked${state.taste}`;
}

function showEverywhere(id, verdict) {
  const shown = grid.querySelector(`[data-id="${id}"]`);
  if (shown) {
    shown.image.verdict = verdict;
    showVerdict(shown, verdict);
  }
  if (viewer.image?.id === id) {
    viewer.image.verdict = verdict;
    showVerdict($("figcaption"), verdict);
  }
}

async function undo() {
  const last = state.done.pop();
  if (last?.withdrawn) return judgeAgain(last);
  if (last) return takeBackDeletion(last);
  const undone = await call(`${profilePath()}/undo`, { method: "POST", body: {} });
  const image = await call(`/images/${undone.image_id}?profile=${encodeURIComponent(state.profile)}`);
  showEverywhere(image.id, image.verdict);
  await showTaste();
  say(`${undone.took_back ? `Again ${image.verdict}` : `Taken back: ${undone.verdict} of`} “${image.title || "Untitled"}”.`);
  if (state.view !== "teach") return;
  state.queue.unshift({ image, shown: undone.shown ?? "gallery" });
  await ask();
}

/** judgeAgain gives a picture the verdict back that was taken from it. */
async function judgeAgain(last) {
  const { image, withdrawn: verdict, score } = last;
  const body = { verdict, shown: state.view === "scores" ? "queue:top" : "gallery" };
  if (state.probeVersion && score !== undefined) Object.assign(body, { probe_version: state.probeVersion, score });
  try {
    await send(`${profilePath()}/ratings/${image.id}`, { method: "PUT", body });
  } catch (error) {
    state.done.push(last); // U tries again
    throw error;
  }
  const before = image.verdict;
  image.verdict = verdict;
  showEverywhere(image.id, verdict);
  recount(before, verdict);
  say(`“${image.title || "Untitled"}” is ${verdict === "like" ? "liked" : "disliked"} again.`);
}

/** send sends a verdict; while the server is away it is kept, and sent later in its order. */
async function send(path, options) {
  if (state.unsent.length) return void keep(path, options);
  try {
    return await call(path, options);
  } catch (error) {
    if (error.status !== undefined && error.status !== 503) throw error;
    keep(path, options);
  }
}

function keep(path, options) {
  state.unsent.push({ path, options });
  tell(`The server can't be reached: ${state.unsent.length === 1 ? "a verdict is" : state.unsent.length + " verdicts are"} kept here and sent when it is back.`);
  keep.timer ??= setTimeout(sendKept, 2000);
}

async function sendKept() {
  keep.timer = undefined;
  try {
    while (state.unsent.length) {
      const { path, options } = state.unsent[0];
      await call(path, options);
      state.unsent.shift();
    }
    tell("");
    say("Everything that was kept is saved.");
    await showTaste();
  } catch (error) {
    if (error.status !== undefined && error.status !== 503) {
      state.unsent.shift(); // it can't be taken: the rest may
      tell(error.message);
    }
    keep.timer = setTimeout(sendKept, 2000);
  }
}

addEventListener("beforeunload", (event) => { if (state.unsent.length) event.preventDefault(); });

// ---- deleting: to the trash, and back

/** remove moves a picture to the trash, and says how it comes back. */
async function remove(image) {
  if (remove.busy) return; // a second press meant the same picture
  remove.busy = true;
  try {
    await call(`/images/${image.id}?${new URLSearchParams({ reason: "deleted on the page" })}`, { method: "DELETE" });
  } finally {
    remove.busy = false;
  }
  const card = grid.querySelector(`[data-id="${image.id}"]`), seen = viewer.image?.id === image.id;
  const deletion = { image, card, after: card?.nextElementSibling, list: state.list };
  const next = card?.nextElementSibling ?? card?.previousElementSibling;
  const moves = seen || card?.contains(document.activeElement);
  card?.remove();
  if (seen) viewer.close();
  if (moves) next?.focus();
  if (state.queue[0]?.image.id === image.id) {
    deletion.asked = state.queue.shift();
    await ask();
  }
  state.done.push(deletion);
  const act = () => {
    state.done = state.done.filter((d) => d !== deletion);
    orTell(takeBackDeletion(deletion));
  };
  say(`Deleted “${image.title || "Untitled"}”. It stays in the trash for 30 days.`, { name: "Undo", title: "Bring it back (U)", act });
  await showTaste();
  if (nearEnd()) await loadPage();
}

/** takeBackDeletion brings a picture back to where it was. */
async function takeBackDeletion(deletion) {
  const { image, card, after, asked } = deletion;
  try {
    await restore(image);
  } catch (error) {
    if (error.status === undefined || error.status === 503) state.done.push(deletion); // U tries again
    throw error;
  }
  if (state.view === "teach") {
    if (asked) state.queue.unshift(asked);
    await ask();
  } else if (card && deletion.list === state.list) {
    if (after?.isConnected) after.before(card);
    else grid.append(card);
    card.focus();
  } else if (deletion.list !== state.list) {
    await restart();
  }
  await showTaste();
}

/** fromTrash restores what a card of the trash shows; U has nothing to do about it then. */
async function fromTrash(card) {
  await restoreCard(card);
  state.done = state.done.filter((d) => d?.image.id !== card.dataset.id);
  await showTaste();
}

// ---- teaching: one picture after the other, those that tell most

/** more fetches the next pictures while the last ones are still being judged. */
function more() {
  const profile = state.profile;
  state.asking ??= call(`${profilePath()}/queue?limit=10`).then((page) => {
    if (profile !== state.profile || state.view !== "teach") return;
    state.queue.push(...page.items.map((item) => ({ ...item, probe_version: page.probe_version })));
    for (const item of page.items) new Image().src = large(item.image); // so that it is there at once
  }).finally(() => { state.asking = null; });
  return state.asking;
}

const large = (image) => `${image.thumbnail_url.split("?")[0]}?width=1280`;
const reasons = { "queue:uncertain": "I learn most from this one", "queue:explore": "drawn at random", "queue:top": "I think you like this" };

/** ask shows the first picture of the queue. */
async function ask() {
  if (!state.queue.length) await more();
  if (state.view !== "teach") return;
  const item = state.queue[0], section = $("#teach");
  section.hidden = !item;
  end.hidden = Boolean(item);
  if (!item) {
    end.textContent = "There is nothing left to ask: everything is judged, or looks like what was.";
    return;
  }
  const name = item.image.title || "Untitled", picture = $("img", section);
  picture.src = large(item.image);
  picture.alt = item.image.artist ? `${name} by ${item.image.artist}` : name;
  section.dataset.id = item.image.id;
  $(".title", section).textContent = name;
  $(".artist", section).textContent = item.image.artist ?? "";
  $(".damaged", section).hidden = !item.image.damage;
  $(".damaged", section).textContent = item.image.damage ? damage(item.image) : "";
  $(".reason", section).textContent = reasons[item.shown] + (item.probability == null ? "" : ` · ${Math.round(100 * item.probability)} %`);
  if (state.queue.length < 4) orTell(more());
}

/** answer judges the picture that is shown and goes on to the next. */
async function answer(verdict) {
  const item = state.queue.shift();
  if (!item) return;
  const { shown, probe_version, score } = item;
  const next = ask();
  try {
    await send(`${profilePath()}/ratings/${item.image.id}`, { method: "PUT", body: { verdict, shown, probe_version, score } });
  } catch (error) {
    state.queue.unshift(item);
    await ask();
    throw error;
  }
  state.done.push(null);
  recount(undefined, verdict);
  await next;
}

for (const button of document.querySelectorAll("#teach [data-verdict]")) {
  button.addEventListener("click", () => orTell(answer(button.dataset.verdict)));
}
$("#teach .delete").addEventListener("click", () => { if (state.queue[0]) orTell(remove(state.queue[0].image)); });

// A swipe to the right likes, one to the left dislikes, one upwards skips.
let touch = null;
$("#teach").addEventListener("pointerdown", (event) => { touch = event.pointerType === "mouse" ? null : { x: event.clientX, y: event.clientY }; });
$("#teach").addEventListener("pointerup", (event) => {
  if (!touch) return;
  const x = event.clientX - touch.x, y = event.clientY - touch.y;
  touch = null;
  if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) orTell(answer(x > 0 ? "like" : "dislike"));
  else if (y < -80 && -y > 2 * Math.abs(x)) orTell(answer("skip"));
});

// ---- one picture

/** beside is the card that a step leads to from the picture that is shown large, if it is one of the grid. */
function beside(step) {
  const card = viewer.image && grid.querySelector(`[data-id="${viewer.image.id}"]`);
  return step < 0 ? card?.previousElementSibling : card?.nextElementSibling;
}

/** turn shows the next picture of the grid large, or with -1 the one before; more of the list comes before its end. */
async function turn(step) {
  const to = beside(step);
  if (!to?.image) return;
  const looked = look(to.image, to.score);
  viewer.last = to.dataset.id;
  if (step > 0 && !to.nextElementSibling) await loadPage();
  showTurns();
  await looked;
}

/** showTurns says whether there is a picture on either side; a button that was truly disabled would swallow the keys while it has the focus. */
function showTurns() {
  $(".previous", viewer).setAttribute("aria-disabled", !beside(-1)?.image);
  $(".next", viewer).setAttribute("aria-disabled", !beside(1)?.image);
}

async function look(image, score) {
  viewer.image = image;
  viewer.score = score;
  const picture = $("figure img", viewer);
  const canvas = picture.parentElement; // has its size before the picture comes: nothing moves away from under a finger
  canvas.style.setProperty("--width", Math.min(image.width, 1280));
  canvas.style.setProperty("--ratio", image.width / image.height);
  picture.src = large(image);
  picture.alt = image.title || "Untitled";
  $("#heat").hidden = true;
  $("figcaption", viewer).replaceChildren(...caption(image));
  showVerdict($("figcaption", viewer), image.verdict);
  $(".strip", viewer).replaceChildren();
  $("section", viewer).hidden = !image.embedded;
  if (!viewer.open) {
    viewer.showModal();
    viewer.last = image.id;
  }
  showTurns();
  if (!image.embedded) return;
  const near = await call(`/images/${image.id}/neighbours?limit=12&profile=${encodeURIComponent(state.profile)}`);
  if (viewer.image !== image) return;
  $(".strip", viewer).replaceChildren(...near.hits.map((hit) => {
    const link = element("a", { href: "#" + hit.image.id, title: hit.image.title });
    link.append(element("img", { src: hit.image.thumbnail_url, alt: hit.image.title || "Untitled", loading: "lazy" }), hit.similarity.toFixed(2));
    link.addEventListener("click", (event) => { event.preventDefault(); orTell(look(hit.image)); });
    return link;
  }));
}

// ---- where in the picture the score comes from

const red = [0xc8, 0x37, 0x2d], blue = [0x3d, 0x5a, 0x80], strongest = 0.75;

/** heat lays over the picture what its patches add to the score, or takes it away. */
async function heat() {
  const image = viewer.image, overlay = $("#heat"), button = $("#heat-switch"), legend = $("#heat-legend");
  const show = overlay.hidden;
  if (show) {
    legend.textContent = "Looking …";
    let map;
    try {
      map = await call(`${profilePath()}/scores/${image.id}/heatmap`);
    } catch (error) { // the notice lies below the dialog
      if (viewer.image === image) legend.textContent = error.message;
      return;
    }
    if (viewer.image !== image) return;
    draw(overlay, map);
    legend.textContent = `What raises the score within the picture is red, what lowers it blue${map.exact ? "" : "; a guess, for the model does not take the mean of its patches"}.`;
  } else {
    legend.textContent = "";
  }
  overlay.hidden = !show;
  button.setAttribute("aria-pressed", show);
}

/** draw paints a pixel for each patch, which the browser makes larger and smooth. */
function draw(overlay, { columns, rows, patches, shown }) {
  const mean = patches.reduce((sum, v) => sum + v, 0) / patches.length;
  const most = Math.max(...patches.map((v) => Math.abs(v - mean))) || 1;
  Object.assign(overlay, { width: columns, height: rows });
  const pixels = new ImageData(columns, rows);
  patches.forEach((v, i) => {
    const share = (v - mean) / most;
    pixels.data.set([...(share < 0 ? blue : red), Math.round(255 * strongest * Math.abs(share))], 4 * i);
  });
  overlay.getContext("2d").putImageData(pixels, 0, 0);
  const percent = (fraction) => 100 * fraction + "%";
  Object.assign(overlay.style, { left: percent(shown.min_x), top: percent(shown.min_y), width: percent(shown.max_x - shown.min_x), height: percent(shown.max_y - shown.min_y) });
}

/** licence names a picture's licence, as a link where its text is known. */
function licence(image, name) {
  const address = image.sources.find((s) => s.licence_url && (s.licence === name || !s.licence))?.licence_url;
  const entry = element("dd");
  entry.append(/^https?:\/\//.test(address ?? "") ? element("a", { href: address, textContent: name, target: "_blank", rel: "noreferrer license" }) : name);
  return entry;
}

function caption(image) {
  const facts = [["artist", "Artist"], ["date", "Date"], ["medium", "Medium"], ["licence", "Licence"], ["credit", "Credit"], ["site", "From"]];
  const list = element("dl");
  for (const [key, label] of facts) {
    const value = image.sources.map((s) => (key === "site" && s.site === "you" ? "" : s[key]) || (key === "date" && s.year ? String(s.year) : "")).find(Boolean);
    if (value) list.append(element("dt", { textContent: label }), key === "licence" ? licence(image, value) : element("dd", { textContent: value }));
  }
  const file = image.sources.map((s) => s.original_name).find(Boolean);
  if (file) list.append(element("dt", { textContent: "File" }), element("dd", { textContent: file }));
  const page = image.sources.map((s) => s.page).find((address) => /^https?:\/\//.test(address ?? ""));
  const links = element("p");
  links.append(element("a", { href: image.file_url, textContent: `Full picture (${image.width} × ${image.height})`, target: "_blank" }));
  if (page) links.append(" · ", element("a", { href: page, textContent: "Source", target: "_blank", rel: "noreferrer" }));
  const verdicts = $("#card").content.querySelector(".verdicts").cloneNode(true);
  const remover = element("button", { type: "button", className: "delete", textContent: "Delete", title: "Move it to the trash (Del)" });
  const heatSwitch = element("button", { type: "button", id: "heat-switch", textContent: "Heat map", title: "Where in the picture the score comes from (H)", hidden: !image.embedded });
  heatSwitch.setAttribute("aria-pressed", "false");
  heatSwitch.addEventListener("click", () => orTell(heat()));
  const legend = element("p", { id: "heat-legend" });
  legend.setAttribute("role", "status");
  const lost = image.damage ? [element("p", { className: "damaged", textContent: damage(image) })] : [];
  return [element("h2", { textContent: image.title || "Untitled" }), ...lost, list, verdicts, heatSwitch, " ", remover, legend, links];
}

// ---- the taste

async function showTaste() {
  const { profiles } = await call("/profiles");
  const chooser = $("#profile");
  const names = [...new Set(["me", state.profile, ...profiles.map((p) => p.profile)])].sort();
  chooser.replaceChildren(...names.map((name) => element("option", { value: name, textContent: name, selected: name === state.profile })));
  const mine = profiles.find((p) => p.profile === state.profile) ?? { likes: 0, dislikes: 0 };
  state.counts = { like: mine.likes, dislike: mine.dislikes };
  state.taste = "";
  try {
    const probe = await call(`${profilePath()}/probe`);
    state.taste = ` · taste v${probe.version}`;
    if (probe.auc !== undefined) state.taste += `, AUC ${probe.auc.toFixed(2)}`;
  } catch (error) {
    if (error.status !== 409) throw error; // no probe yet
  }
  showCounts();
}

async function train() {
  const button = $("#train");
  button.disabled = true;
  try {
    let job = await call(`${profilePath()}/probe`, { method: "POST" });
    while (job.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, 300));
      job = await call("/jobs/" + job.id);
    }
    if (job.state !== "succeeded") throw new Error(job.error || "The training did not succeed.");
    await showTaste();
    state.view = "scores";
    await restart();
  } finally {
    button.disabled = false;
  }
}

// ---- events

for (const tab of document.querySelectorAll(".tab")) {
  tab.addEventListener("click", () => { state.view = tab.dataset.view; state.chosen = true; restart(); });
}
$("#unrated").addEventListener("change", (event) => { state.unrated = event.target.checked; restart(); });
$("#profile").addEventListener("change", (event) => { state.profile = event.target.value; state.done = []; restart(); orTell(showTaste()); });
$("#empty-trash").addEventListener("click", () => orTell(emptyTrash(() => { state.done = state.done.filter((d) => !d); })));
$("#train").addEventListener("click", () => orTell(train()));
$(".close").addEventListener("click", () => viewer.close());
viewer.addEventListener("close", () => {
  viewer.image = undefined;
  // One is back at the picture that one came to.
  const card = viewer.last && grid.querySelector(`[data-id="${viewer.last}"]`);
  card?.scrollIntoView({ block: "nearest" });
  card?.focus({ preventScroll: true });
});
$(".previous", viewer).addEventListener("click", () => orTell(turn(-1)));
$(".next", viewer).addEventListener("click", () => orTell(turn(1)));

let typing;
$("#search").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => { state.search = event.target.value.trim(); restart(); }, 250);
});

document.addEventListener("click", (event) => {
  const holder = event.target.closest(".card, dialog");
  if (holder?.trashed && event.target.closest("button")) orTell(fromTrash(holder));
  if (!holder?.image) return;
  if (event.target.closest("button.delete")) return void orTell(remove(holder.image));
  const button = event.target.closest(".verdicts button");
  if (button) orTell(judge(holder.image, button.classList.contains("like") ? "like" : "dislike", holder.score, true));
  else if (holder !== viewer) orTell(look(holder.image, holder.score));
  else if (event.target === viewer) viewer.close();
});

const verdictKeys = { l: "like", d: "dislike", s: "skip" };
const teachKeys = { ArrowRight: "like", ArrowLeft: "dislike", ArrowDown: "skip" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const here = document.activeElement.closest?.(".card");
  const key = event.key.toLowerCase();
  if (key === "u") return void orTell(undo());
  if (key === "delete" || key === "backspace") {
    const image = viewer.open ? viewer.image : state.view === "teach" ? state.queue[0]?.image : here?.image;
    if (!image || event.repeat) return;
    event.preventDefault();
    return void orTell(remove(image));
  }
  if (key === "r" && here?.trashed && !event.repeat) return void orTell(fromTrash(here));
  if (state.view === "teach" && !viewer.open) {
    const verdict = verdictKeys[key] ?? teachKeys[event.key];
    if (!verdict || event.repeat) return;
    event.preventDefault();
    return void orTell(answer(verdict));
  }
  if (verdictKeys[key]) {
    const holder = viewer.open ? viewer : here;
    if (!holder?.image) return;
    orTell(judge(holder.image, verdictKeys[key], holder.score));
    if (!viewer.open) here.nextElementSibling?.focus();
    return;
  }
  if (viewer.open) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      event.preventDefault();
      return void orTell(turn(step));
    }
    if (key === "h" && viewer.image?.embedded && !event.repeat) orTell(heat());
    return;
  }
  if (event.key === "Enter" && here?.image && here === document.activeElement) {
    event.preventDefault(); // the view's focus is on its picture: on ×, the same press would close it
    return void orTell(look(here.image, here.score));
  }
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const cards = [...grid.children];
  cards[here ? Math.max(0, Math.min(cards.length - 1, cards.indexOf(here) + steps[event.key])) : 0]?.focus();
});

function columns() {
  return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
}

new IntersectionObserver((seen) => { if (seen.some((s) => s.isIntersecting)) orTell(loadPage()); }, { rootMargin: "800px" }).observe($("#more"));

// ---- begin: by score where there is a taste or a like, else the newest

orTell((async () => {
  await showTaste();
  if (!state.chosen && (state.taste || state.counts.like)) state.view = "scores";
  state.begun = true;
  await restart();
})());
