// Where in the picture the score comes from.

import { $, call } from "./base.js";
import { profilePath } from "./state.js";

const viewer = $("#viewer");
const red = [0xc8, 0x37, 0x2d], blue = [0x3d, 0x5a, 0x80], strongest = 0.75;

/** heat lays over the picture what its patches add to the score, or takes it away. */
export async function heat() {
  const image = viewer.image, overlay = $("#heat"), button = $("#heat-switch"), legend = $("#heat-legend");
  const show = overlay.hidden;
  if (show) {
    legend.textContent = "Looking …";
    let map;
    try {
      map = await call(`${profilePath()}/scores/${image.id}/heatmap`);
    } catch (error) { // the notice lies below the dialog
      if (viewer.image !== image) return;
      legend.textContent = error.message;
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
