// What was learned of the profile's taste, and learning it anew.

import { $, call, element } from "./base.js";
import { ended, on } from "./events.js";
import * as grid from "./grid.js";
import { showCounts } from "./judge.js";
import { profilePath, state } from "./state.js";

export async function showTaste() {
  const [{ profiles }, learning] = await Promise.all([call("/profiles"), call(`${profilePath()}/learning`)]);
  state.learning = learning;
  const chooser = $("#profile");
  const names = [...new Set(["me", state.profile, ...profiles.map((p) => p.profile)])].sort();
  chooser.replaceChildren(...names.map((name) => element("option", { value: name, textContent: name, selected: name === state.profile })));
  const mine = profiles.find((p) => p.profile === state.profile) ?? { likes: 0, dislikes: 0 };
  state.counts = { like: mine.likes, dislike: mine.dislikes };
  state.taste = "";
  state.version = 0;
  try {
    const probe = await call(`${profilePath()}/probe`);
    state.version = probe.version;
    state.taste = ` · taste v${probe.version}`;
    if (probe.auc !== undefined) state.taste += `, AUC ${probe.auc.toFixed(2)}`;
  } catch (error) {
    if (error.status !== 409) throw error; // no probe yet
  }
  showCounts();
  showOrder();
}

/** showNewest is what the button does that showOrder offers. */
export const hooks = { showNewest() {} };

/** showOrder says what the list goes by, and offers the newer taste where there is one: the list itself stays. */
export function showOrder() {
  const order = $("#order"), summary = grid.current()?.summary;
  order.replaceChildren();
  if (state.view === "scores" && summary) {
    if (summary.provisional) order.append(summary.provisional.note);
    if (state.version && state.version !== summary.probe_version) {
      const button = element("button", { type: "button", textContent: "Show it" });
      button.addEventListener("click", () => hooks.showNewest());
      order.append(" A newer taste has been learned. ", button);
    }
  }
  order.hidden = !order.hasChildNodes();
}

let soon = 0; // another taste serves, or was tried, by whichever tab or program
function again() {
  clearTimeout(soon);
  if (state.begun) soon = setTimeout(() => showTaste().catch(() => {}), 100); // one that fails is not asked for
}
on("taste", ({ profile }) => { if (profile === state.profile) again(); });
on("job", (job) => { if (job.kind === "train" && job.profile === state.profile && job.state !== "running") again(); });
on("open", (first) => { if (!first) again(); });

/** learn trains and waits for its end. */
export async function learn() {
  const button = $("#train");
  button.disabled = true;
  try {
    const job = await ended(await call(`${profilePath()}/probe`, { method: "POST" }));
    if (job.state !== "succeeded") throw new Error(job.error || "The training did not succeed.");
    await showTaste();
  } finally {
    button.disabled = false;
  }
}
