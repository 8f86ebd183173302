// Taste: what was learned of the profile, how good it is, and what could be learned otherwise.

import { $, call, element, orTell, say } from "./base.js";
import { nameOf } from "./card.js";
import { comeFor } from "./learn.js";
import * as route from "./route.js";
import { profilePath, state } from "./state.js";
import { showTaste } from "./taste.js";

const section = $("#learned");
const versionPath = (n) => `${profilePath()}/probe/versions/${n}`;
const percent = (part, whole) => whole ? `${Math.round(100 * part / whole)} %` : "–";

/** showLearned shows the view; still says whether that is wanted when the answers come. */
export async function showLearned(still) {
  section.hidden = false;
  section.replaceChildren();
  const [{ probes }, { profiles }, arena] = await Promise.all([call(`${profilePath()}/probe/versions`), call("/profiles"), call(`${profilePath()}/arena`)]);
  if (!still()) return;
  const again = () => showLearned(still);
  const quality = element("div");
  section.append(...versions(probes, quality, again), quality);
  const doubted = element("div");
  section.append(doubted, ...verdictOf(arena), ...people(profiles, again));
  const first = probes.find((p) => p.current && p.model_id === probes[0].model_id) ?? probes[0];
  if (!first) return;
  await look(first, quality);
  if (still() && first.auc !== undefined) await doubts(doubted);
}

const heading = (text) => element("h2", { textContent: text });
const words = (text, className = "") => element("p", { textContent: text, className });

function button(text, act, name = text) {
  const made = element("button", { type: "button", textContent: text, ariaLabel: name });
  made.addEventListener("click", () => orTell(act(made)));
  return made;
}

/** table makes one of rows of texts and elements, the first of which is the header; it scrolls by itself where it is too wide. */
function table(rows, name) {
  const holder = element("div", { className: "table", tabIndex: 0, ariaLabel: name });
  holder.setAttribute("role", "region");
  const made = element("table"), body = element("tbody"), head = element("thead");
  for (const [i, cells] of rows.entries()) {
    const row = element("tr");
    for (const cell of cells) {
      const names = !i && cell !== "", one = element(names ? "th" : "td");
      if (names) one.scope = "col";
      one.append(...[cell].flat());
      row.append(one);
    }
    (i ? body : head).append(row);
  }
  made.append(head, body);
  holder.append(made);
  return holder;
}

/** folded is something that is opened to be read. */
function folded(title, ...inner) {
  const made = element("details");
  made.append(element("summary", { textContent: title }), ...inner);
  return made;
}

const tables = (sections) => sections.map((s) => folded(s.title, ...s.note ? [words(s.note, "quiet")] : [], table(s.rows, s.title)));

// ---- versions

function versions(probes, quality, again) {
  if (!probes.length) return [heading("Versions"), words("Nothing was learned yet: like and dislike a few dozen pictures, then “Learn my taste”.")];
  const told = words("", "quiet");
  told.setAttribute("role", "status");
  const rows = probes.map((p) => {
    const acts = [button("Look", () => look(p, quality), `Look at version ${p.version}`)];
    acts[0].dataset.version = p.version;
    if (p.auc !== undefined) acts.push(button("Compare", () => compare(p.version, told), `Compare version ${p.version} with the one that is shown`));
    if (!p.current) {
      acts.push(button("Let it serve", async () => {
        await call(`${profilePath()}/probe/rollback`, { method: "POST", body: { version: p.version } });
        say(`Version ${p.version} serves now.`);
        await showTaste();
        await again();
      }, `Let it serve: version ${p.version}`));
    }
    const auc = p.auc === undefined ? "imported" : `${p.auc.toFixed(3)} [${p.auc_low.toFixed(3)}, ${p.auc_high.toFixed(3)}]`;
    return [`${p.version}${p.current ? " serves" : ""}`, acts, auc, p.kind ?? "", `${p.likes} / ${p.dislikes}`, new Date(p.trained_at).toLocaleDateString(), p.reason];
  });
  return [heading("Versions"), table([["Version", "", "AUC", "Kind", "Likes / dislikes", "Learned", "Why it serves, or not"], ...rows], "Versions"), told];
}

let shown = 0; // the version that is looked at

async function compare(version, told) {
  const { words } = await call(`${versionPath(version)}/compare?other=${shown}`);
  told.textContent = words;
}

// ---- one version

async function look(probe, holder) {
  shown = probe.version;
  for (const b of section.querySelectorAll("[data-version]")) b.setAttribute("aria-pressed", Number(b.dataset.version) === shown);
  if (probe.auc === undefined) return holder.replaceChildren(heading(`Version ${shown}`), words("It was imported: how good it is was found out elsewhere."));
  const q = await call(`${versionPath(probe.version)}/quality`);
  if (shown !== probe.version) return undefined;
  const plots = element("div", { className: "plots" }), pictures = new Map();
  for (const p of q.plots) {
    const figure = element("figure"), picture = element("img", { alt: `${p.title}; its numbers stand in the table below`, src: `/v1${versionPath(shown)}/plots/${p.name}` });
    figure.append(picture, element("figcaption", { textContent: p.title }), folded("As a table", behind(p, q)));
    plots.append(figure);
    pictures.set(p.name, picture);
  }
  return holder.replaceChildren(heading(`Version ${shown}`), words(`${q.summary}.`), ...q.conclusion ? [words(q.conclusion)] : [],
    ...q.warnings.map((w) => words(`${w}.`, "warning")), plots, ...threshold(q, pictures), ...tables(q.sections));
}

/** behind is the table of a plot's numbers. */
function behind(plot, q) {
  const own = q.sections.find((s) => s.title === { calibration: "Calibration", "learning-curve": "Learning curve" }[plot.name]);
  if (own) return table(own.rows, plot.title);
  return table([["From a chance of", "Likes found", "Dislikes taken for likes", "Precision"],
    ...q.decisions.filter((_, i) => i % 10 === 0).map((d) => [`${Math.round(100 * d.threshold)} %`, percent(d.true_likes, d.true_likes + d.false_dislikes),
      percent(d.false_likes, d.false_likes + d.true_dislikes), percent(d.true_likes, d.true_likes + d.false_likes)])], plot.title);
}

/** threshold says what another one would mean, and marks it on the curves. */
function threshold(q, pictures) {
  const label = element("label", { textContent: "Count as liked from a chance of " }), slider = element("input", { type: "range", min: 0, max: 100, value: Math.round(100 * q.threshold) });
  const told = element("output"), show = element("a");
  const move = () => {
    const d = q.decisions[slider.value];
    slider.setAttribute("aria-valuetext", `${slider.value} %`);
    told.textContent = `${slider.value} %${Number(slider.value) === Math.round(100 * q.threshold) ? " (as the taste does)" : ""}: of ${d.true_likes + d.false_dislikes} liked pictures ${d.true_likes} would be found, and of ${d.false_likes + d.true_dislikes} disliked ones ${d.false_likes} would come with them; ${percent(d.true_likes, d.true_likes + d.false_likes)} of what is taken would be liked.`;
    show.href = `#/scores?min_probability=${slider.value / 100}${state.profile === "me" ? "" : `&profile=${state.profile}`}`;
    show.textContent = `Show what the collection has from ${slider.value} % on`;
  };
  const mark = () => {
    for (const name of ["roc", "precision-recall"]) pictures.get(name).src = `/v1${versionPath(shown)}/plots/${name}?threshold=${slider.value / 100}`;
  };
  slider.addEventListener("input", move);
  slider.addEventListener("change", mark);
  label.append(slider);
  move();
  mark();
  const line = element("p");
  line.append(label, told, " ", show);
  return [element("h3", { textContent: "Threshold" }), line];
}

// ---- likely mistakes, other ways to learn

async function doubts(holder) {
  const { mislabels } = await call(`${profilePath()}/mislabels?limit=24`);
  if (!mislabels.length) return;
  const strip = element("div", { className: "strip" });
  strip.append(...mislabels.map((m) => {
    const said = `${m.said === "like" ? "liked" : "disliked"}; by the others ${Math.round(100 * m.probability)}\u00a0%`;
    const link = element("a", { href: route.address(m.image.id), title: nameOf(m.image) });
    link.append(element("img", { src: m.image.thumbnail_url, alt: nameOf(m.image), loading: "lazy" }), said);
    return link;
  }));
  holder.append(heading("Judge these again"), words("What the rest of your ratings speaks against the most.", "quiet"), strip);
}

function verdictOf(arena) {
  const ways = words("", "ways");
  if (arena.job) ways.append(element("a", { href: `/v1/jobs/${arena.job}/page`, target: "_blank", rel: "noopener", textContent: "Tables and plot" }), " · ");
  ways.append(toWork(arena.job ? "Compare again" : "Compare models", "arena"), " · ", toWork("Train a model of your own", "finetune"));
  if (!arena.job) return [heading("Models compared"), words("Which model and which way to learn suit you best can be found out; it was not asked yet.", "quiet"), ways];
  return [heading("Models compared"), words(`${arena.summary}.`), ...arena.verdicts.map((v) => words(`${v}.`)), ...tables(arena.sections), ways];
}

/** toWork leads to a form of the view Work. */
function toWork(text, form) {
  const link = element("a", { href: `#/work${state.profile === "me" ? "" : `?profile=${state.profile}`}`, textContent: text });
  link.addEventListener("click", () => comeFor(form));
  return link;
}

// ---- profiles

function people(profiles, again) {
  const others = profiles.filter((p) => p.profile !== state.profile);
  const name = () => element("input", { required: true, pattern: "[a-z0-9][a-z0-9_\\-]{0,62}", title: "Small letters, digits, - and _", size: 14 });
  const form = (label, act, to) => {
    const field = name(), made = element("form"), caption = element("label", { textContent: label + " " });
    caption.append(field);
    made.append(caption, element("button", { textContent: act }));
    made.addEventListener("submit", (event) => { event.preventDefault(); orTell(to(field.value)); });
    return made;
  };
  const become = async (who) => {
    Object.assign(state, { profile: who, done: [] });
    route.go(route.address(), { push: true, kept: {} });
    await showTaste();
    await again();
  };
  const told = words("");
  told.setAttribute("role", "status");
  const rows = profiles.map((p) => [p.profile, p.likes, p.dislikes, p.skips, p.profile === state.profile ? "is shown" : [
    button("Show", () => become(p.profile), `Show the taste of ${p.profile}`),
    button("Compare", async () => {
      const { words } = await call(`${profilePath()}/compare?with=${p.profile}`);
      told.textContent = words.join(" ");
    }, `Compare with ${p.profile}`)]]);
  const forms = element("div", { className: "start" });
  forms.append(form("A new profile", "Make it", async (who) => {
    await call("/profiles", { method: "POST", body: { profile: who } });
    await become(who);
  }));
  if (others.length < profiles.length) {
    forms.append(form(`Rename ${state.profile} to`, "Rename", async (who) => {
      await call(profilePath(), { method: "PATCH", body: { profile: who } });
      await become(who);
    }));
  }
  return [heading("Profiles"), ...rows.length ? [table([["Profile", "Liked", "Disliked", "Skipped", ""], ...rows.map((r) => r.map((c) => typeof c === "number" ? String(c) : c))], "Profiles")] : [], told, forms];
}
