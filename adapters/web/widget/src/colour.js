/** Turns any accent a person chose into one that text on it, and links in it, can be read (WCAG AA). */

const WHITE = [255, 255, 255];
const INK = [17, 19, 24];

/** `#rgb`, `#rrggbb` or `rgb(r, g, b)` as three numbers; null for anything else. */
export function parseColour(text) {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
  if (hex) {
    const digits = hex[1].length === 3 ? [...hex[1]].map((d) => d + d).join("") : hex[1];
    return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
  }
  const rgb = /^rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*\)$/i.exec(text.trim());
  return rgb ? rgb.slice(1, 4).map(Number) : null;
}

function luminance(colour) {
  const [r, g, b] = colour.map((value) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The WCAG contrast ratio of two colours, 1 to 21. */
export function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function toward(colour, target, surface, ratio) {
  let found = colour;
  for (let step = 1; step <= 25 && contrast(found, surface) < ratio; step++) {
    found = colour.map((value, i) => Math.round(value + ((target[i] - value) * step) / 25));
  }
  return found;
}

const css = (colour) => `rgb(${colour.join(" ")})`;

/** The accent's four colours on a `surface`: fill, text on the fill, and text in the accent. */
function on(surface, accent, target, fillRatio) {
  const fill = toward(accent, target, surface, fillRatio);
  const ink = contrast(fill, WHITE) >= 4.5 ? WHITE : INK;
  const safe = contrast(fill, ink) >= 4.5 ? fill : toward(fill, WHITE, INK, 4.5);
  return { fill: css(safe), ink: css(ink), text: css(toward(accent, target, surface, 5.2)) };
}

/** The colours of both themes for an accent such as `#0f766e`. */
export function palette(accent) {
  const colour = parseColour(accent) ?? [79, 70, 229];
  return { light: on([241, 243, 246], colour, INK, 1.6), dark: on([37, 40, 48], colour, WHITE, 2.2) };
}
