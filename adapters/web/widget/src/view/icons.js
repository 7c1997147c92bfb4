const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  chat: ["M4.5 18.2V7.4A2.9 2.9 0 0 1 7.4 4.5h9.2a2.9 2.9 0 0 1 2.9 2.9v5.7a2.9 2.9 0 0 1-2.9 2.9H8.2z", "M8.7 9h6.6", "M8.7 12h4"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  down: ["M6 9.5l6 6 6-6"],
  send: ["M12 19V5.5", "M6 11.2l6-6 6 6"],
  stop: ["M8.2 7h7.6A1.2 1.2 0 0 1 17 8.2v7.6a1.2 1.2 0 0 1-1.2 1.2H8.2A1.2 1.2 0 0 1 7 15.8V8.2A1.2 1.2 0 0 1 8.2 7z"],
  more: ["M5.5 12h.01", "M12 12h.01", "M18.5 12h.01"],
  fresh: ["M19 12.5v4.1a2.9 2.9 0 0 1-2.9 2.9H7.4a2.9 2.9 0 0 1-2.9-2.9V7.9A2.9 2.9 0 0 1 7.4 5h4.1", "M17.2 4.2a1.8 1.8 0 0 1 2.6 2.6L13 13.6l-3.2.6.6-3.2z"],
  trash: ["M5 7h14", "M9.5 7V5.2h5V7", "M7 7l.8 12h8.4L17 7", "M10.3 10.5v5", "M13.7 10.5v5"],
  up: ["M7.5 10.5v8.5H5v-8.5z", "M7.5 11l3.7-6.4c1.3 0 2.1 1 1.9 2.3l-.5 2.8h4.6c1.2 0 2 1 1.8 2.2l-1 5.4c-.2 1-1 1.7-2 1.7H7.5"],
  thumbDown: ["M16.5 13.5V5H19v8.5z", "M16.5 13l-3.7 6.4c-1.3 0-2.1-1-1.9-2.3l.5-2.8H6.8c-1.2 0-2-1-1.8-2.2l1-5.4c.2-1 1-1.7 2-1.7h8.5"],
  copy: ["M9 9h9.5v10.5H9z", "M15 9V4.5H5.5V15H9"],
  check: ["M5.5 12.5l4.2 4.2 8.8-9.2"],
  book: ["M5 5.5h5.2c1 0 1.8.8 1.8 1.8v12c0-.9-.7-1.6-1.6-1.6H5z", "M19 5.5h-5.2c-1 0-1.8.8-1.8 1.8v12c0-.9.7-1.6 1.6-1.6H19z"],
};

/** A 24-unit line drawing that screen readers skip. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["focusable", "false"], ["class", `icon icon-${name}`]]) {
    svg.setAttribute(key, value);
  }
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
