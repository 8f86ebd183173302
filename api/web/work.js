// Work: what the server does and did, and what it can be asked to do.

import { $, call, element, orTell, say, tell } from "./base.js";
import { asked, isLook, lookNews, lookParts, lookState } from "./crawl.js";
import { on } from "./events.js";
import { isLearning, keyOf, newsOf, offerLearning, partsOf, showLearning, stateOf } from "./learn.js";

const section = $("#work"), list = $("#jobs");
const atOnce = 20;
const kinds = {
  crawl: "Crawl", import: "Import", embed: "Embedding", train: "Training", reindex: "Filling the index",
  verify: "Verification", backup: "Backup", finetune: "Fine-tuning", arena: "Comparison of models", map: "Map", copies: "Search for copies",
};
const states = { running: "running", succeeded: "done", failed: "failed", cancelled: "cancelled" };
const counted = {
  kept: "new", known: "known already", embedded: "embedded", copied: "copied", failed: "could not be", damaged: "damaged",
  rated: "rated", points: "points", pictures: "on the map",
};
/** @type {Record<string, any>[] | null} what was told of jobs while they are asked for; null when the view is open, or is not */
let meanwhile = null;
let live = false; // the view is open
let profile = "me";

/** showWork shows the view; still says whether that is wanted when the answers come. */
export async function showWork(still, who) {
  profile = who;
  section.hidden = false;
  leaveWork();
  const told = meanwhile = [];
  const [{ jobs }] = await Promise.all([call(`/jobs?limit=${atOnce}`), showModels(still)]);
  if (!still() || told !== meanwhile) return;
  list.replaceChildren(...jobs.map((job) => filled(element("li"), job)));
  tidy();
  leaveWork();
  live = true;
  told.forEach(showJob);
}

const hear = (job) => live ? showJob(job) : meanwhile?.push(job);
on("job", hear);
on("open", () => { if (live || meanwhile) call(`/jobs?limit=${atOnce}`).then(({ jobs }) => jobs.reverse().forEach(hear)).catch(() => {}); }); // the next time it is heard tries again

/** leaveWork ends what the view listens to. */
export function leaveWork() {
  live = false;
  meanwhile = null;
}

/** tidy says so where there are no jobs, and lets only the newest of a kind be begun or gone on with. */
function tidy() {
  $("#no-jobs").hidden = list.childElementCount > 0;
  const seen = new Set();
  for (const row of list.children) {
    const again = $(".again", row);
    if (again) again.hidden = seen.has(row.dataset.key);
    if (row.dataset.key) seen.add(row.dataset.key);
  }
}

/** showJob shows a job as it stands, at its place or as the newest. */
function showJob(job) {
  const shown = list.querySelector(`[data-job="${job.id}"]`);
  if (shown) {
    const before = shown.dataset.state;
    if (before !== "running" && job.state === "running") return; // an answer that an event of the job's end has overtaken
    filled(shown, job);
    if (before === "running" && job.state !== "running") ended(job, shown);
  } else {
    const older = [...list.children].find((row) => Number(row.dataset.job) < job.id);
    list.insertBefore(filled(element("li"), job), older ?? null);
    while (list.childElementCount > atOnce) list.lastElementChild.remove();
  }
  tidy();
}

function ended(job, row) {
  say(isLook(job) && job.preview ? lookNews(job) : isLearning(job) && job.state === "succeeded" ? newsOf(job) : `${kinds[job.kind]} ${states[job.state]}${job.state === "succeeded" ? "." : `: ${job.error ?? ""}`}`);
  if (job.kind === "embed" || job.result?.model) orTell(showModels(() => !section.hidden).then(() => { filled(row, job); tidy(); })); // a model more can be embedded with
}

/** filled writes a job into its row, which keeps the focus that it has. */
function filled(row, job) {
  const cancel = row.querySelector(".cancel") ?? element("button", { type: "button", className: "cancel" });
  row.dataset.job = job.id;
  row.dataset.state = job.state;
  row.dataset.key = isLearning(job) ? keyOf(job) : isLook(job) ? JSON.stringify(job.progress.crawl) : "";
  row.tabIndex = -1;
  const running = job.state === "running";
  const when = new Date(job.finished_at ?? job.started_at);
  const name = `${kinds[job.kind] ?? job.kind}${job.profile ? ` for ${job.profile}` : ""}`;
  const head = [
    element("strong", { textContent: name }),
    element("span", { className: "state", textContent: job.cancelling ? "stopping …" : stateOf(job) || lookState(job) || states[job.state] }),
    element("time", { dateTime: when.toISOString(), textContent: when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) }),
  ];
  if (running && job.total) head.push(element("progress", { max: job.total, value: job.done, ariaLabel: `Progress of ${name}` }));
  if (running) {
    // One that is disabled would lose the focus.
    Object.assign(cancel, { textContent: "Cancel", ariaDisabled: String(Boolean(job.cancelling)), ariaLabel: `Cancel ${name}` });
    cancel.onclick = () => job.cancelling || orTell(call("/jobs/" + job.id, { method: "DELETE" }).then(showJob));
  }
  const parts = isLearning(job) ? partsOf(job, follow) : isLook(job) ? lookParts(job, follow) : [words(job)].filter(Boolean).map((textContent) => element("p", { textContent }));
  const held = row.contains(document.activeElement);
  // What stays keeps the focus, and is open if it was.
  for (const old of [...row.children]) if (!old.matches(running ? ".cancel, .opens, .opened" : ".opens, .opened")) old.remove();
  if (running && cancel.isConnected) {
    cancel.before(...head);
    cancel.after(...parts);
  } else row.prepend(...head, ...running ? [cancel] : [], ...parts);
  opens(row, "lost", job.losses && `What was not taken (${job.losses})`, (all) => fillLosses(all, job));
  opens(row, "log", job.lines && `Log (${job.lines})`, (all) => fillLog(all, job));
  if (held && !row.contains(document.activeElement)) row.focus({ preventScroll: true });
  return row;
}

/**
 * opens gives a row a button that opens a list at its end, and closes it again. One that is open is filled with what there is more.
 * @param {HTMLElement} row
 * @param {string} kind of the list
 * @param {string} textContent without which there is no button
 * @param {(list: HTMLElement) => Promise<void>} fill
 */
function opens(row, kind, textContent, fill) {
  if (!textContent) return;
  let button = $(`.opens.${kind}`, row);
  if (!button) row.append(button = element("button", { type: "button", className: "opens " + kind, ariaExpanded: "false" }));
  button.textContent = textContent;
  const open = $(`.opened.${kind}`, row);
  if (open) orTell(fill(open));
  button.onclick = () => {
    const open = $(`.opened.${kind}`, row);
    button.ariaExpanded = String(!open);
    if (open) return open.remove();
    const all = element("ol", { className: "opened " + kind, tabIndex: 0, ariaLabel: textContent });
    row.append(all);
    orTell(fill(all));
  };
}

/** words say how far a job is, or what it came to. */
function words(job) {
  if (job.state === "running") return job.total ? `${job.done} of ${job.total}` : job.done ? String(job.done) : "";
  const result = { ...job.result, ...job.result?.embedding };
  const told = Object.entries(counted).filter(([key]) => Number.isFinite(result[key]) && result[key] > 0).map(([key, word]) => `${result[key]} ${word}`);
  if (result.version) told.push(`version ${result.version}`);
  if (result.nothing_to_do) told.push("nothing was to be done");
  for (const [who, why] of Object.entries(result.not_trained ?? {})) told.push(`the taste of ${who} could not be learned again: ${why}`);
  if (job.error) told.unshift(job.error);
  return told.join(", ");
}

async function fillLosses(all, job) {
  if (all.dataset.count === String(job.losses)) return;
  all.dataset.count = job.losses;
  const { losses, next_cursor } = await call(`/jobs/${job.id}/losses?limit=100`);
  all.replaceChildren(...losses.map((l) => element("li", { textContent: `${l.path}: ${l.what}` })));
  if (next_cursor) all.append(element("li", { textContent: `and ${job.losses - losses.length} more: palate import report ${job.id}` }));
}

/** fillLog adds the lines that came since to those that are shown, of which there are 200 at first. */
async function fillLog(all, job) {
  const after = Number(all.dataset.last) || Math.max(0, job.lines - 200);
  if (after >= job.lines || all.ariaBusy) return;
  all.ariaBusy = "true";
  try {
    const { lines } = await call(`/jobs/${job.id}/log?limit=200${after ? `&cursor=${after}` : ""}`);
    const atEnd = all.scrollHeight - all.scrollTop - all.clientHeight < 40; // where whoever reads follows
    for (const { number, at, text, warning } of lines) {
      const line = element("li", { className: warning ? "warning" : "", value: number });
      line.append(element("time", { dateTime: at, textContent: new Date(at).toLocaleTimeString() }), ` ${warning ? "Warning: " : ""}${text}`);
      all.append(line);
      all.dataset.last = number;
    }
    if (atEnd) all.scrollTop = all.scrollHeight;
  } finally {
    all.ariaBusy = null;
  }
}

// ---- another model

let models = [];

async function showModels(still) {
  let answer;
  try {
    answer = await call("/models");
  } catch (error) {
    if (error.status === 403) return void ($("#models").hidden = $("#learn").hidden = true); // this server starts no jobs
    throw error;
  }
  if (!still()) return;
  models = answer.models;
  const upgrade = $("#upgrade");
  upgrade.hidden = !answer.upgrade;
  if (answer.upgrade) $("p", upgrade).textContent = `Pictures are read by older rules: ${answer.upgrade.from}. The present ones: ${answer.upgrade.to}.`;
  const chooser = $("#model"), chosen = chooser.value;
  chooser.replaceChildren(...models.map((m) => element("option", {
    value: m.name, textContent: m.serves ? `${m.name} (serves now)` : m.name, disabled: m.state === "missing" || m.state === "changed" || m.state === "broken",
  })));
  const serving = models.find((m) => m.serves);
  chooser.value = models.some((m) => m.name === chosen) ? chosen : serving?.name ?? models[0]?.name;
  tellModel();
  const { total } = await call("/images?limit=1&count=true");
  if (still()) showLearning(models, total);
}

/** tellModel says what it takes to embed the collection with the chosen model. */
function tellModel() {
  const m = models.find((one) => one.name === $("#model").value);
  if (!m) return;
  const facts = [m.what];
  if (m.licence) facts.push(`licence: ${m.licence}`);
  if (m.guessed) facts.push(`guessed of it: ${m.guessed.join(", ")}`);
  if (m.state === "not_pulled") facts.push(m.bytes ? `its weights come from the model hub: ${Math.round(m.bytes / 1e6)} MB` : "its weights come from the model hub");
  if (m.gated) facts.push("which gives them only to who has agreed to the licence");
  if (m.problem) facts.push(m.problem);
  if (m.coming) facts.push("it is being filled");
  if (m.embedded) facts.push(m.embedded === 1 ? "it has embedded 1 picture" : `it has embedded ${m.embedded} pictures`);
  $("#about-model").textContent = facts.join(" · ");
  $("#pass").disabled = m.serves;
}

async function begin(body) {
  const job = await call("/jobs", { method: "POST", body });
  showJob(job);
  tell(""); // why an earlier try was refused
  say(isLearning(job) && !body.confirm ? "What it would cost is being found out." : body.dry_run ? "What would come is being found out." : `${kinds[body.kind]} has begun.`);
  return job;
}

/** follow begins a job and goes to its row, where it is told how it goes. */
async function follow(body) {
  const { id } = await begin(body);
  const row = $(`[data-job="${id}"]`, list);
  if (!row?.contains(document.activeElement)) row?.focus({ preventScroll: true }); // whoever was quicker than the answer has it
  row?.scrollIntoView(); // at the top: there is more to come in it
}

offerLearning(() => profile, follow);

$("#model").addEventListener("change", tellModel);
$("#models").addEventListener("submit", (event) => { event.preventDefault(); orTell(begin({ kind: "embed", model: $("#model").value })); });
$("#upgrade button").addEventListener("click", () => orTell(begin({ kind: "embed", upgrade: true })));
$("#embed-again").addEventListener("click", () => orTell(begin({ kind: "embed", retry: true })));
$("#verify").addEventListener("click", () => orTell(begin({ kind: "verify" })));
$("#crawl").addEventListener("submit", (event) => {
  event.preventDefault();
  orTell(follow({ ...asked(event.target), ...(event.submitter?.value === "now" ? {} : { dry_run: true }) }));
});
$("#import").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target), verdict = form.get("verdict");
  orTell(begin({ kind: "import", path: form.get("path"), ...(verdict ? { profile, verdict } : {}) }));
});
