// Small building blocks of the page: elements with attributes, and the icons.

/** An element. `parts` are attributes; `on…` are listeners, `class` the class, undefined ones are left out. */
export function el(tag, parts = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(parts)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const PATHS = {
  sent: ["m5 11 4 4L19 5"],
  twice: ["m2 11 4 4L16 5", "m11 15 1 1L22 6"],
  clock: ["M12 7v5l3 2", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18"],
  send: ["M4 12 20 4l-5 16-3.5-6.5z"],
  attach: ["M20 11.5 12 19.5a5 5 0 0 1-7-7l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8L10 17a1.6 1.6 0 0 1-2.3-2.3l7.4-7.4"],
  list: ["M8 6h12M8 12h12M8 18h12", "M4 6h.01M4 12h.01M4 18h.01"],
  open: ["M14 4h6v6", "M20 4 10 14", "M18 14v5H5V6h5"],
  reply: ["M9 7 4 12l5 5", "M4 12h10a6 6 0 0 1 6 6"],
  place: ["M12 21s7-6.5 7-11a7 7 0 0 0-14 0c0 4.500 7 11 7 11", "M12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4"],
  card: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8", "M4 21a8 8 0 0 1 16 0"],
  file: ["M6 3h8l5 5v13H6z", "M14 3v5h5"],
  phone: ["M5 4h4l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2"],
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  check: ["m5 12 5 5 9-10"],
  close: ["m6 6 12 12M18 6 6 18"],
  more: ["M12 5h.01M12 12h.01M12 19h.01"],
};

/** A line icon that screen readers skip. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const d of PATHS[name]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
