// Learning that takes long: fine-tuning a model and comparing models. What it will
// cost is asked for first; the answer is a job with a button that begins.

import { $, element, orTell } from "./base.js";

const wanted = new Map(); // what was asked for, by the job that is to find out the cost, or that was stopped
const number = (x, digits = 3) => x.toFixed(digits);
const megabytes = (n) => (n >= 1e9 ? `${number(n / 1e9, 1)} GB` : `${Math.round(n / 1e6)} MB`);

/** about is a time in words. */
export function about(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

/** costWords say what something will take. */
function costWords(cost) {
  const told = [`It will take ${about(cost.seconds)} at most, on ${cost.pictures} rated pictures`];
  if (cost.memory_bytes) told.push(`about ${megabytes(cost.memory_bytes + (cost.token_bytes ?? 0))} of memory`);
  if (cost.disk_bytes) told.push(`${megabytes(cost.disk_bytes)} of disk while it runs`);
  if (cost.left_out) told.push(`${cost.left_out} that not every model can read are left out`);
  return told.join(", ") + (cost.scarce ? ". There is less memory than that: the system may end the server." : ".");
}

const stages = {
  waiting: "waits for another one", preparing: "measures what it will cost", ready: "begins",
  features: "looks at the rated pictures", training: "trains", measuring: "measures",
};

/** progressWords say how a fine-tuning or an arena goes. */
function progressWords({ done, total, progress: p }) {
  const told = [p.what ? `${stages[p.stage]}: ${p.what}` : stages[p.stage]];
  if (total) told.push(`${done} of ${total}`);
  if (p.epochs) told.push(`epoch ${p.epoch} of at most ${p.epochs}`);
  if (p.loss !== undefined) told.push(`loss ${number(p.loss)}`);
  if (p.balanced_accuracy !== undefined) told.push(`balanced accuracy ${number(p.balanced_accuracy)}`);
  if (p.pictures_a_second) told.push(`${number(p.pictures_a_second, 1)} pictures a second`);
  if (p.memory_bytes) told.push(`${megabytes(p.memory_bytes)} of memory`);
  if (p.seconds_left) told.push(`${about(p.seconds_left)} left at most`);
  if (p.skipped) told.push(`${p.skipped} steps were left out, as their gradients were not finite`);
  return told.join(" · ");
}

/** learnWords say how such a job goes or what it came to; other jobs have none. */
export function learnWords(job) {
  if (job.state === "running") return job.progress ? progressWords(job) : "";
  const r = job.result;
  if (job.state !== "succeeded" || !r) return "";
  if (r.cost) return costWords(r.cost);
  if (r.verdicts) return r.verdicts.map((v) => v[0].toUpperCase() + v.slice(1) + ".").join(" ");
  if (job.kind !== "finetune") return "";
  const held = `held-out balanced accuracy ${number(r.best.balanced_accuracy)}, the probe's ${number(r.begun.balanced_accuracy)}`;
  return r.model
    ? `The model ${r.model} was made: ${held}; it chose the epoch, so it flatters. Nothing that serves was changed: embed the collection with it above.`
    : `No epoch was better than the probe: no model was made.`;
}

/** learnParts are the buttons and links of such a job. */
export function learnParts(job, begin) {
  const parts = [];
  const again = (text, change) => {
    const body = wanted.get(job.id);
    if (!body) return;
    const button = element("button", { type: "button", className: "go", textContent: text });
    button.addEventListener("click", () => orTell(begin({ ...body, ...change(body) }).then((next) => wanted.set(next.id, { ...body, ...change(body) }))));
    parts.push(button);
  };
  if (job.state === "succeeded" && job.result?.cost) again("Begin", () => ({ confirm: true }));
  if (job.state === "cancelled" && job.kind === "finetune") again("Go on", (body) => ({ confirm: true, finetune: { ...body.finetune, resume: true } }));
  if (job.state === "cancelled" && job.kind === "arena") again("Go on", () => ({ confirm: true }));
  if (job.kind === "arena" && job.result?.verdicts) {
    parts.push(element("a", { href: `/v1/jobs/${job.id}/page`, target: "_blank", rel: "noopener", className: "page", textContent: "Tables and plot" }));
  }
  return parts;
}

/** showLearning offers the models that there are. */
export function showLearning(models) {
  const usable = models.filter((m) => m.state === "here" || m.state === "not_pulled");
  const named = (m) => element("option", { value: m.name, textContent: m.state === "here" ? m.name : `${m.name} (to be fetched)` });
  const chooser = $("#finetune [name=model]"), chosen = chooser.value;
  const trained = usable.filter((m) => m.name !== "baseline");
  chooser.replaceChildren(...trained.map(named));
  chooser.value = trained.some((m) => m.name === chosen) ? chosen : trained.find((m) => m.serves)?.name ?? trained[0]?.name ?? "";
  const contest = $("#arena .contestants"), ticked = new Set([...contest.querySelectorAll(":checked")].map((box) => box.value));
  contest.replaceChildren(...usable.map((m) => {
    const label = element("label", { textContent: ` ${m.name}` });
    label.prepend(element("input", { type: "checkbox", name: "models", value: m.name, checked: ticked.size ? ticked.has(m.name) : Boolean(m.serves) }));
    return label;
  }));
}

/** offerLearning lets the forms ask for the cost of what they say; look shows a job as it stands. */
export function offerLearning(profile, begin, look) {
  const ask = (body) => orTell(begin(body).then((job) => {
    wanted.set(job.id, body);
    return look(job.id); // it may have ended before this was known
  }));
  $("#finetune").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const finetune = { model: form.get("model"), method: form.get("method") };
    for (const [key, field] of [["epochs", "epochs"], ["batch", "batch"], ["learning_rate", "rate"], ["seed", "seed"]]) {
      if (form.get(field)) finetune[key] = Number(form.get(field));
    }
    if (form.get("name")) finetune.name = form.get("name").trim();
    if (form.get("resume")) finetune.resume = true;
    ask({ kind: "finetune", profile: profile(), finetune });
  });
  $("#arena").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    ask({ kind: "arena", profile: profile(), arena: { models: form.getAll("models"), methods: form.getAll("methods"), folds: Number(form.get("folds")) } });
  });
}
