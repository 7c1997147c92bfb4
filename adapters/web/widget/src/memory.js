/** What a browser remembers of one conversation: its storage where there is one, else this page's memory. */

const fallback = new Map();

/** `storage` names localStorage or sessionStorage; even to look at one may be forbidden. */
export function read(key, storage = "localStorage") {
  try {
    return JSON.parse(window[storage].getItem(key) ?? "null");
  } catch {
    return fallback.get(key) ?? null;
  }
}

export function write(key, value, storage = "localStorage") {
  fallback.set(key, value);
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the page's own memory serves until it is left.
  }
}

const EMPTY = { id: null, token: null, outbox: [], refused: [], seen: [], unread: [], ratings: {}, past: [] };

export class Memory {
  /** `changed` is called when another tab wrote. */
  constructor(key, changed) {
    this.key = key;
    this.liveKey = `${key}:live`;
    this.listener = (event) => {
      if (event.key === this.key || event.key === null) changed();
    };
    addEventListener("storage", this.listener);
  }

  get state() {
    return { ...structuredClone(EMPTY), ...read(this.key) };
  }

  /** Reads afresh, lets `edit` change the state, writes it back: other tabs' changes stay. */
  update(edit) {
    const state = this.state;
    edit(state);
    write(this.key, state);
    return state;
  }

  /** Progress of a running reply with the cursor that continues it; written in one piece, so both always fit. */
  get live() {
    return read(this.liveKey);
  }

  set live(value) {
    write(this.liveKey, value);
  }

  close() {
    removeEventListener("storage", this.listener);
  }
}

/** A short name for a visitor that cannot be read back from storage at a glance. */
export function visitorKey(jwt) {
  if (!jwt) return "";
  let subject = jwt;
  try {
    subject = String(JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub);
  } catch {
    // Not a readable JWT: the server will refuse it; until then it only names its own storage.
  }
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const character of subject) {
    a = Math.imul(a ^ character.codePointAt(0), 2654435761);
    b = Math.imul(b ^ character.codePointAt(0), 1597334677);
  }
  return `:${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`;
}
