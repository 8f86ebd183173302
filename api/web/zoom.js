// Zoom and pan of the picture that is shown large: wheel, keys, two fingers,
// drag, double click.

const most = 12, step = 1.4;
const sharpFrom = 1.5; // from here the file itself is shown in the place of a thumbnail
const shownByBrowsers = new Set(["jpeg", "png", "webp", "gif", "avif", "bmp"]);

let box, picture, image = null;
let scale = 1, x = 0, y = 0; // of the picture's top left corner, in CSS pixels of the box
const fingers = new Map(), tapped = { at: -1000, x: 0, y: 0, by: "" };

/** watch lets the pointer zoom and move what is in a box. */
export function watch(holder, shown) {
  box = holder;
  picture = shown;
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    const r = box.getBoundingClientRect();
    zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 20 : 1) / 400), event.clientX - r.left, event.clientY - r.top);
  }, { passive: false });
  // Browsers differ in whether a double tap is a double click.
  box.addEventListener("dblclick", (event) => { if (tapped.by === "mouse") toggle(event); });
  box.addEventListener("pointerup", (event) => {
    const from = fingers.get(event.pointerId);
    if (event.pointerType === "mouse" || fingers.size > 1 || !from || Math.hypot(event.clientX - from.x0, event.clientY - from.y0) > 12) return;
    if (event.timeStamp - tapped.at < 500 && Math.hypot(event.clientX - tapped.x, event.clientY - tapped.y) < 40) {
      toggle(event);
      tapped.at = -1000;
    } else {
      Object.assign(tapped, { at: event.timeStamp, x: event.clientX, y: event.clientY });
    }
  });
  box.addEventListener("pointerdown", (event) => {
    tapped.by = event.pointerType;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, x0: event.clientX, y0: event.clientY });
    if (scale > 1) box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", move);
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) box.addEventListener(kind, (event) => fingers.delete(event.pointerId));
}

function move(event) {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = { ...before, x: event.clientX, y: event.clientY };
  if (fingers.size === 1) {
    if (scale > 1) show(x + now.x - before.x, y + now.y - before.y);
  } else {
    const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const r = box.getBoundingClientRect();
    const was = Math.hypot(before.x - other.x, before.y - other.y), is = Math.hypot(now.x - other.x, now.y - other.y);
    if (was > 0) zoomAt(is / was, (now.x + other.x) / 2 - r.left, (now.y + other.y) / 2 - r.top);
  }
  fingers.set(event.pointerId, now);
}

/** toggle shows what lies under a point large, or the whole picture again. */
function toggle(event) {
  const r = box.getBoundingClientRect();
  if (scale > 1) fit(image);
  else zoomAt(2.5, event.clientX - r.left, event.clientY - r.top);
}

/** zoomed says that a part of the picture is shown. */
export const zoomed = () => scale > 1;

/** fit shows a whole picture. */
export function fit(of) {
  image = of;
  scale = 1;
  show(0, 0);
}

/** zoom makes the picture larger with 1, smaller with -1, around its middle. */
export function zoom(direction) {
  zoomAt(step ** direction, box.clientWidth / 2, box.clientHeight / 2);
}

function zoomAt(factor, atX, atY) {
  const to = Math.min(Math.max(scale * factor, 1), most), by = to / scale;
  scale = to;
  show(atX - (atX - x) * by, atY - (atY - y) * by);
  if (scale >= sharpFrom && image && shownByBrowsers.has(image.format) && !picture.src.endsWith(image.file_url)) {
    const of = image, file = new Image();
    file.onload = () => { if (image === of) picture.src = of.file_url; };
    file.src = of.file_url;
  }
}

/** show moves the picture, no farther than its edges. */
function show(toX, toY) {
  x = Math.min(0, Math.max(toX, box.clientWidth * (1 - scale)));
  y = Math.min(0, Math.max(toY, box.clientHeight * (1 - scale)));
  box.classList.toggle("zoomed", scale > 1);
  for (const layer of box.children) {
    layer.style.transformOrigin = layer === picture ? "0 0" : `${-layer.offsetLeft}px ${-layer.offsetTop}px`;
    layer.style.transform = scale > 1 ? `translate(${x}px, ${y}px) scale(${scale})` : "";
  }
}
