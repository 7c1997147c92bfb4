const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** The address where it is safe to offer as a link (absolute; http, https or mailto), else null. */
export function safeAddress(href) {
  try {
    const url = new URL(href);
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const NAMED = new Map(
  Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™", hellip: "…", mdash: "—", ndash: "–", middot: "·", times: "×", divide: "÷", deg: "°", euro: "€", pound: "£", yen: "¥", larr: "←", rarr: "→", bull: "•", half: "½", frac12: "½", frac14: "¼", frac34: "¾", plusmn: "±", le: "≤", ge: "≥", ne: "≠" }),
);

/** Text with its character references (`&amp;`, `&#8212;`) read; unknown ones stay as they are. */
export function decodeEntities(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z0-9]+));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED.get(name) ?? whole;
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "\ufffd";
  });
}
