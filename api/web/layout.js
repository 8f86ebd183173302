// Where each picture of a list stands: rows of one height, filled to the edge,
// in which nothing is cropped.

/**
 * @typedef {object} Layout
 * @property {number} rows how many there are
 * @property {Uint32Array} start the first picture of each row, and behind the last row how many pictures there are
 * @property {Float64Array} top of each row, and behind the last row where the next would begin
 * @property {Float64Array} height of the pictures in each row, without what stands below them
 * @property {number} total the height of all
 */

// A picture is shown whole; one that is thinner or flatter than this has room beside or above it, so that it can be hit.
const thinnest = 0.3, flattest = 6;

/** ratio is the width over the height that a picture is given. */
export const ratio = (thousandths) => Math.min(Math.max(thousandths / 1000, thinnest), flattest);

/**
 * justify puts pictures into rows.
 * @param {number} count
 * @param {(i: number) => number} shape the width over the height of the i-th, in thousandths
 * @param {{width: number, target: number, gap: number, caption: number}} room widths and heights in CSS pixels; caption is what stands below each picture
 * @returns {Layout}
 */
export function justify(count, shape, { width, target, gap, caption }) {
  const start = [], heights = [], tops = [];
  let top = 0, first = 0, sum = 0;
  const close = (end, height) => {
    start.push(first);
    tops.push(top);
    heights.push(height);
    top += height + caption + gap;
    first = end;
    sum = 0;
  };
  const fitting = (ratios, n) => (width - gap * (n - 1)) / ratios;
  for (let i = 0; i < count; i++) {
    const r = ratio(shape(i));
    const before = sum, n = i - first;
    sum += r;
    const height = fitting(sum, n + 1);
    if (height > target) continue;
    // The row is full: with this picture it is too low, without it too high.
    const without = n ? fitting(before, n) : Infinity;
    if (without - target < target - height && without < 1.6 * target) {
      close(i, without);
      sum = r;
      if (fitting(r, 1) <= target) close(i + 1, fitting(r, 1));
    } else {
      close(i + 1, height);
    }
  }
  if (first < count) close(count, Math.min(target, fitting(sum, count - first)));
  const rows = heights.length;
  start.push(count);
  tops.push(top);
  return { rows, start: Uint32Array.from(start), top: Float64Array.from(tops), height: Float64Array.from(heights), total: rows ? top - gap : 0 };
}

/** rowAt is the row that a height lies in, the first or the last one where it is beyond. */
export function rowAt(layout, y) {
  return Math.max(0, Math.min(layout.rows - 1, last(layout.top, y, layout.rows)));
}

/** rowOf is the row of the i-th picture. */
export function rowOf(layout, i) {
  return last(layout.start, i, layout.rows);
}

/** last is the place of the last of the first n ascending values that is no more than x; -1 if all are more. */
function last(values, x, n) {
  let low = -1, high = n;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle;
    else high = middle;
  }
  return low;
}
