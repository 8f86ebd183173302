// What is said beside a picture that is shown large.

import { element } from "./base.js";
import { damage, nameOf, starButtons, verdictButtons } from "./card.js";
import { state } from "./state.js";

/** licence names a picture's licence, as a link where its text is known. */
function licence(image, name) {
  const address = image.sources.find((s) => s.licence_url && (s.licence === name || !s.licence))?.licence_url;
  const entry = element("dd", { dir: "auto" });
  entry.append(/^https?:\/\//.test(address ?? "") ? element("a", { href: address, textContent: name, target: "_blank", rel: "noreferrer license" }) : name);
  return entry;
}

/**
 * caption says what is known of a picture, with what can be done about it.
 * @param {import("./base.js").Picture} image
 * @param {() => void} heat shows where its score comes from
 */
export function caption(image, heat) {
  const facts = [["artist", "Artist"], ["date", "Date"], ["medium", "Medium"], ["licence", "Licence"], ["credit", "Credit"], ["site", "From"]];
  const list = element("dl");
  for (const [key, label] of facts) {
    const value = image.sources.map((s) => (key === "site" && s.site === "you" ? "" : s[key]) || (key === "date" && s.year ? String(s.year) : "")).find(Boolean);
    if (value) list.append(element("dt", { textContent: label }), key === "licence" ? licence(image, value) : element("dd", { dir: "auto", textContent: value }));
  }
  const file = image.sources.map((s) => s.original_name).find(Boolean);
  if (file) list.append(element("dt", { textContent: "File" }), element("dd", { dir: "auto", textContent: file }));
  const page = image.sources.map((s) => s.page).find((address) => /^https?:\/\//.test(address ?? ""));
  const links = element("p");
  links.append(element("a", { href: image.file_url, textContent: `Full picture (${image.width} × ${image.height})`, target: "_blank" }));
  if (page) links.append(" · ", element("a", { href: page, textContent: "Source", target: "_blank", rel: "noreferrer" }));
  const verdicts = verdictButtons(image);
  const remover = element("button", { type: "button", className: "delete", textContent: "Delete", title: "Move it to the trash (Del)" });
  const heatSwitch = element("button", { type: "button", id: "heat-switch", textContent: "Heat map", title: "Where in the picture the score comes from (H)", hidden: !image.embedded || state.noHeat });
  heatSwitch.setAttribute("aria-pressed", "false");
  heatSwitch.addEventListener("click", heat);
  const legend = element("p", { id: "heat-legend" });
  legend.setAttribute("role", "status");
  const lost = image.damage ? [element("p", { className: "damaged", textContent: damage(image) })] : [];
  return [element("h2", { dir: "auto", textContent: nameOf(image) }), element("p", { className: "chance" }), ...lost, list, verdicts, starButtons(image), heatSwitch, " ", remover, legend, links];
}
