// Learning that takes long: training a model of one's own, and comparing models.
// What it would cost is a job; its row offers to begin, and to go on with what was stopped.

import { $, element, orTell } from "./base.js";

/**
 * @typedef {object} LearningJob as the API tells of it (openapi.yaml, Job)
 * @property {number} id
 * @property {"finetune" | "arena"} kind
 * @property {string} [profile]
 * @property {"running" | "succeeded" | "failed" | "cancelled"} state
 * @property {number} done
 * @property {number} [total]
 * @property {Record<string, any>} [progress]
 * @property {Record<string, any>} [result]
 * @property {string} [error]
 *
 * @typedef {(body: Record<string, any>) => Promise<any>} Begin asks for a job and shows it
 */

const kinds = new Set(["finetune", "arena"]);
const section = $("#learn"), tuned = $("#finetune"), contest = $("#arena");
/** @type {Record<string, any>[]} */
let models = [];
let pictures = 0; // of the collection
let opened = ""; // the form that somebody came for

const number = (x, digits = 3) => x.toFixed(digits);
const bytes = (n) => (n >= 1e9 ? `${number(n / 1e9, 1)} GB` : `${Math.max(1, Math.round(n / 1e6))} MB`);
export const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const sentence = (text) => text[0].toUpperCase() + text.slice(1) + ".";
export const words = (textContent, className = "") => element("p", { textContent, className });

/** about is a time in words. */
export function about(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

/** wayWords say how something is learned, by its name in the API. */
function wayWords(method) {
  const [way, n] = method.split(":");
  if (way === "last") return n === "1" ? "the last block" : `the last ${n} blocks`;
  return { lora: `LoRA of rank ${n}`, full: "all weights", knn: "neighbours (knn)" }[way] ?? method;
}

/** figures is a row of named values; those without one are left out. */
function figures(pairs) {
  const all = element("dl", { className: "figures" });
  for (const [name, value] of pairs) {
    if (!value) continue;
    const one = element("div");
    one.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
    all.append(one);
  }
  return all;
}

const costFigures = (cost) => figures([
  ["Time, at most", about(cost.seconds)],
  ["Memory", cost.memory_bytes && bytes(cost.memory_bytes + (cost.token_bytes ?? 0))],
  ["Disk, while it runs", cost.disk_bytes && bytes(cost.disk_bytes)],
  ["Rated pictures", String(cost.pictures)],
  ["Left out", cost.left_out && `${cost.left_out} that not every model can read`],
]);

const stages = {
  waiting: "Waits for another one.", preparing: "Measures what it will cost.", ready: "Begins.",
  features: "Looks at the rated pictures", training: "Trains", measuring: "Measures",
};

const goingFigures = (p) => figures([
  ["Epoch", p.epochs && `${p.epoch} of ${p.epochs}`],
  ["Loss", p.loss !== undefined && number(p.loss)],
  ["Balanced accuracy, held out", p.balanced_accuracy !== undefined && number(p.balanced_accuracy)],
  ["Pictures a second", p.pictures_a_second && number(p.pictures_a_second, 1)],
  ["Memory", p.memory_bytes && bytes(p.memory_bytes)],
  ["Left, at most", p.seconds_left && about(p.seconds_left)],
  ["Steps left out, as their gradients were not finite", p.skipped && String(p.skipped)],
]);

/** askedOf is what a job was asked for, where it says so. */
const askedOf = (job) => job.progress?.finetune ?? job.progress?.arena;

/** subject says what is trained, or compared. */
function subject(job) {
  const asked = askedOf(job);
  if (!asked) return "";
  const ways = [asked.methods ?? asked.method ?? []].flat().map(wayWords).join(", ");
  return [asked.name ? `${asked.model}, as ${asked.name}` : [asked.models ?? asked.model].flat().join(", "), ways].filter(Boolean).join(" · ");
}

/** isLearning says whether a job is of the kinds that are shown here. */
export const isLearning = (job) => kinds.has(job.kind);

/** stateOf is the state of a job that was to find out a cost; others have none of their own. */
export const stateOf = (job) => (job.state === "succeeded" && job.result?.cost ? "what it would cost" : "");

/** newsOf says in one sentence what a job that has ended well came to. */
export function newsOf({ result: r }) {
  if (!r) return "It is done."; // for a profile of which this caller is told nothing more
  if (r.cost) return `It would take ${about(r.cost.seconds)} at most.`;
  if (r.verdicts) return r.verdicts.map(sentence)[0] ?? "The models were compared.";
  return r.model ? `The model “${r.model}” was made.` : "No epoch was better than the probe: no model was made.";
}

/**
 * partsOf are what a job's row has below its name: what it is about, how it goes, what it came to, and what can be done then.
 * @param {LearningJob} job
 * @param {Begin} begin
 */
export function partsOf(job, begin) {
  const p = job.progress, r = job.result, parts = [];
  const about = subject(job);
  if (about) parts.push(words(about, "subject"));
  if (job.error) parts.push(words(sentenceOf(job.error)));
  if (job.state === "running") {
    if (p) parts.push(words([stages[p.stage], p.what && `: ${p.what}`, job.total && ` (${p.stage === "training" ? "step " : ""}${job.done} of ${job.total})`].filter(Boolean).join("")), goingFigures(p));
  } else if (r?.cost) {
    parts.push(costFigures(r.cost));
    if (r.cost.scarce) parts.push(words("There is less memory than that: the system may end the server. Fewer blocks, LoRA or a smaller model takes less.", "warning"));
  } else if (r?.verdicts) {
    parts.push(...r.verdicts.map((v) => words(sentence(v), "verdict")));
  } else if (job.state === "succeeded" && job.kind === "finetune" && r) {
    parts.push(...outcome(r, p, begin));
  } else if (p?.epoch) {
    parts.push(goingFigures({ ...p, seconds_left: 0, memory_bytes: 0 }));
  }
  const next = models.length ? following(job) : undefined;
  if (next) parts.push(button(next.name, () => begin({ kind: job.kind, profile: job.profile, confirm: true, [job.kind]: next.asked }), "again"));
  if (job.kind === "arena" && r?.cells) {
    parts.push(element("a", { href: `/v1/jobs/${job.id}/page`, target: "_blank", rel: "noopener", className: "page", textContent: "Tables and plot" }));
  }
  return parts;
}

export const sentenceOf = (error) => (/[.!?]$/.test(error) ? error : sentence(error));

/** following is how a job can be followed up, with what is asked then: begun, or gone on with. */
function following(job) {
  const asked = askedOf(job), { stage, begun } = job.progress ?? {};
  if (!asked || job.state === "running") return undefined;
  if (job.state === "succeeded") return job.result?.cost && { name: "Begin", asked };
  if (job.kind === "arena") return (job.state === "cancelled" || ["ready", "features", "measuring"].includes(stage)) && { name: "Go on", asked };
  if (begun) return { name: "Go on", asked: { model: asked.model, name: asked.name, resume: true } }; // as that one was begun
  if (stage === "training") return { name: "Go on", asked: { ...asked, resume: true } };
  // Before it trained it has hardly left anything to go on with.
  return stage === "features" && { name: "Begin again", asked };
}

/** outcome is what a fine-tuning came to. */
function outcome(r, p, begin) {
  const parts = [figures([
    ["Balanced accuracy, held out", number(r.best.balanced_accuracy)],
    ["The probe’s", number(r.begun.balanced_accuracy)],
    ["Best epoch", `${r.best.epoch} of ${r.history.length - 1}`],
    ["Judged on", `${r.held_likes + r.held_dislikes} pictures held back`],
    ["Time", about(r.seconds)],
  ])];
  if (!r.model) return [words("No epoch was better than the probe: no model was made."), ...parts];
  const made = models.find((m) => m.name === r.model), each = p?.cost?.picture_seconds;
  parts.unshift(words(`The model “${r.model}” was made. The epoch was chosen by these figures, so they flatter it; nothing that serves was changed.`));
  if (!made || made.serves || made.coming) return parts;
  const takes = each ? ` takes about ${about(pictures * each)}` : "";
  parts.push(words(`Embedding the ${counted(pictures, "picture")} with it${takes || " takes a while"}; until then the present model serves.`),
    button(`Embed with ${r.model}`, () => begin({ kind: "embed", model: r.model }), "pass"));
  return parts;
}

/** button is one that can't be pressed again before what it does is done. */
export function button(text, act, className) {
  const made = element("button", { type: "button", className, textContent: text });
  made.addEventListener("click", () => {
    made.disabled = true;
    orTell(act().finally(() => { made.disabled = false; }));
  });
  return made;
}

/** keyOf is the same for jobs of which only the newest can be followed up. */
export function keyOf(job) {
  const asked = askedOf(job);
  if (!asked || job.state !== "running" && job.state !== "succeeded" && !following(job)) return "";
  return JSON.stringify(job.kind === "finetune" ? [job.profile, asked.model, asked.name] : [job.profile, asked.models, asked.methods, asked.folds]);
}

// ---- the forms

/** whyNot says why a model can't take part, or be trained; "" if nothing is known against it. */
function whyNot(m, trained) {
  const state = { missing: "its file is not there", changed: "its file was changed", broken: "its file is broken" }[m.state];
  return state ?? (trained ? m.untrainable ?? "" : "");
}

/** showLearning offers the models that there are, for a collection of so many pictures. */
export function showLearning(all, count) {
  models = all;
  pictures = count;
  section.hidden = !models.length;
  const chooser = tuned.elements.model, chosen = chooser.value;
  const option = (m) => {
    const why = whyNot(m, true);
    const words = why === m.untrainable ? "can’t be trained" : why;
    return element("option", { value: m.name, disabled: why && why !== m.untrainable, textContent: words ? `${m.name}: ${words}` : m.state === "here" ? m.name : `${m.name} (to be fetched)` });
  };
  const sorted = [...models].sort((a, b) => rank(a) - rank(b));
  chooser.replaceChildren(...sorted.map(option));
  chooser.value = models.some((m) => m.name === chosen) ? chosen : sorted.find((m) => !whyNot(m, true))?.name ?? "";
  const ticked = new Set([...contest.querySelectorAll("[name=models]:checked")].map((box) => box.value));
  const box = (m) => {
    const why = whyNot(m), label = element("label", { textContent: ` ${m.name}${why ? `: ${why}` : ""}` });
    label.prepend(element("input", { type: "checkbox", name: "models", value: m.name, disabled: Boolean(why), checked: !why && (ticked.size ? ticked.has(m.name) : Boolean(m.serves)) }));
    return label;
  };
  const here = models.filter((m) => m.state !== "not_pulled"), away = models.filter((m) => m.state === "not_pulled");
  $(".here", contest).replaceChildren(...here.map(box));
  $(".away", contest).hidden = !away.length;
  $(".away .options", contest).replaceChildren(...away.map(box));
  tellTrained();
  if (opened) {
    section.open = true;
    const form = opened === "arena" ? contest : tuned;
    form.scrollIntoView();
    $("input:enabled, select", form).focus({ preventScroll: true });
    opened = "";
  }
}

/** rank is lower for what can be trained at once. */
const rank = (m) => (whyNot(m, true) ? 2 : m.state === "here" ? 0 : 1);

/** comeFor lets the form of that name be open when the view is shown next. */
export function comeFor(form) {
  opened = form;
}

/** tellTrained says what is known of the chosen model, and shows the number that the chosen way takes. */
function tellTrained() {
  const m = models.find((one) => one.name === tuned.elements.model.value), facts = m ? [m.what] : [];
  if (m?.licence) facts.push(`licence: ${m.licence}`);
  if (m?.state === "not_pulled") facts.push(m.bytes ? `its weights are fetched first: ${bytes(m.bytes)}` : "its weights are fetched first");
  if (m?.gated) facts.push("they are given only to who has agreed to the licence");
  const why = m && whyNot(m, true);
  $("#about-trained").textContent = why ? `${m.name} can’t be trained: ${why}. Your taste is learned on its embeddings all the same, by a probe.` : facts.join(" · ") || "There are no models here.";
  $("button[type=submit]", tuned).disabled = Boolean(why) || !m;
  const instead = $(".instead", tuned);
  instead.hidden = !why || m.serves || m.coming;
  instead.textContent = m ? `Embed with ${m.name}` : "";
  const way = tuned.elements.way.value;
  for (const label of tuned.querySelectorAll("[data-way]")) {
    label.hidden = label.dataset.way !== way;
    $("input", label).disabled = label.hidden;
  }
}

/**
 * offerLearning lets the forms ask for the cost of what they say.
 * @param {() => string} profile
 * @param {Begin} begin
 */
export function offerLearning(profile, begin) {
  tuned.addEventListener("change", tellTrained);
  $(".instead", tuned).addEventListener("click", () => orTell(begin({ kind: "embed", model: tuned.elements.model.value })));
  const numbers = (form, into, fields) => {
    for (const [key, field] of fields) if (form.get(field)) into[key] = Number(form.get(field));
    return into;
  };
  const asking = (form, kind, read) => form.addEventListener("submit", (event) => {
    event.preventDefault();
    const submit = $("button[type=submit]", form);
    submit.disabled = true;
    orTell(begin({ kind, profile: profile(), [kind]: read(new FormData(form)) }).finally(() => { submit.disabled = false; tellTrained(); }));
  });
  asking(tuned, "finetune", (form) => {
    const way = form.get("way"), settings = { model: form.get("model"), method: way === "full" ? way : `${way}:${form.get("depth")}` };
    if (form.get("name")?.trim()) settings.name = form.get("name").trim();
    return numbers(form, settings, [["epochs", "epochs"], ["batch", "batch"], ["learning_rate", "rate"], ["seed", "seed"]]);
  });
  asking(contest, "arena", (form) => {
    const settings = numbers(form, { models: form.getAll("models"), methods: form.getAll("methods") }, [["folds", "folds"], ["epochs", "epochs"]]);
    if (form.get("minutes")) settings.budget_seconds = 60 * Number(form.get("minutes"));
    return settings;
  });
}
