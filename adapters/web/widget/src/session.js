import { Backoff } from "./backoff.js";
import { Refused } from "./client.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { Stream } from "./stream.js";
import { settle, timeline, unfinished } from "./timeline.js";

const LINGER = 2_000;
const SAVE_EVERY = 250;
const REMEMBERED = 200;

const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");

/**
 * One conversation with one persona: everything but its looks.
 *
 * `changed()` asks for a fresh look at `items`, `line`, `unread`; `told(name, detail)` reports sent, message, error,
 * ended. `attended()` says whether a person sees the transcript now.
 */
export class Session {
  constructor({ client, memory, persona, locale, identity, changed, told, attended }) {
    Object.assign(this, { client, memory, persona, locale, identity, changed, told, attended });
    this.line = "ok";
    this.closing = new AbortController();
    this.outbox = new Outbox({
      memory,
      client,
      conversation: () => this.opened(),
      accepted: (message, turn) => this.accepted(message, turn),
      refused: (message, reason) => this.refused(message, reason),
      lost: () => this.lost(),
      state: (ok) => this.lineIs(ok),
    });
    this.clear();
    const { signal } = this.closing;
    document.addEventListener("visibilitychange", () => this.glanced(), { signal });
    addEventListener("pagehide", () => this.save(), { signal });
    addEventListener("offline", () => this.lineIs(false), { signal });
    addEventListener("online", () => this.lineIs(true), { signal });
    this.start();
  }

  clear() {
    this.history = [];
    this.more = false;
    this.sent = [];
    this.keys = new Map();
    this.mine = new Set();
    this.live = new Live(null);
    this.known = this.memory.state.id;
  }

  close() {
    this.save();
    this.closing.abort();
    this.disconnect();
    this.outbox.close();
    clearTimeout(this.saving);
    clearTimeout(this.lingering);
    this.memory.close();
  }

  // ── what is shown ──

  get items() {
    const { outbox, refused } = this.memory.state;
    const { history, sent, keys } = this;
    const told = new Set(sent.map((message) => message.client_id));
    return timeline({ history, sent, keys, refused, turns: this.live.turns, outbox: outbox.filter((m) => !told.has(m.client_id)) });
  }

  get unread() {
    return this.memory.state.unread.length;
  }

  get ratings() {
    return this.memory.state.ratings;
  }

  get busy() {
    return unfinished(this.items).length > 0;
  }

  // ── what a person does ──

  send(text) {
    this.memory.update((state) => state.outbox.push({ client_id: newId(), text, at: new Date().toISOString() }));
    this.lineIs(navigator.onLine);
    this.changed();
    this.outbox.flush();
  }

  /** Takes back a message the server refused, for another try; returns its text. */
  takeBack(key) {
    let text = "";
    this.memory.update((state) => {
      text = state.refused.find((message) => message.client_id === key)?.text ?? "";
      state.refused = state.refused.filter((message) => message.client_id !== key);
    });
    this.changed();
    return text;
  }

  async stop() {
    const [turn] = unfinished(this.items);
    if (!turn) return;
    const backoff = new Backoff();
    while (!this.closing.signal.aborted && unfinished(this.items).includes(turn)) {
      try {
        return await this.client.stop(this.memory.state, turn);
      } catch (error) {
        if (error instanceof Refused && !error.temporary) return;
        await backoff.wait(this.closing.signal, error.retryAfter);
      }
    }
  }

  /** Stores a rating; false where it could not be stored now. */
  async rate(turn, rating) {
    try {
      await this.client.rate(this.memory.state, turn, rating);
    } catch {
      return false;
    }
    this.memory.update((state) => {
      state.ratings = Object.fromEntries([...Object.entries(state.ratings), [turn, rating]].slice(-REMEMBERED));
    });
    this.told("feedback", { turn, rating });
    this.changed();
    return true;
  }

  /** Begins a new conversation; the old one stays on the server until it expires or is forgotten. */
  startAfresh() {
    this.memory.update((state) => {
      if (state.id) state.past.push({ id: state.id, token: state.token });
      Object.assign(state, { id: null, token: null, outbox: [], refused: [], seen: [], unread: [], ratings: {} });
    });
    this.reset();
  }

  /** Deletes this conversation and the earlier ones, on the server and here. Throws where the server cannot be reached. */
  async forget() {
    const { id, token, past } = this.memory.state;
    for (const conversation of [...past, ...(id ? [{ id, token }] : [])]) {
      try {
        await this.client.erase(conversation);
      } catch (error) {
        if (!(error instanceof Refused && error.gone)) throw error;
      }
    }
    this.reset(true);
  }

  /** Forgets what this browser knows of the conversation. */
  reset(all = false) {
    this.disconnect();
    this.memory.live = null;
    if (all) this.memory.update((state) => Object.keys(state).forEach((name) => delete state[name]));
    this.clear();
    this.changed();
  }

  /** A person looks at the transcript: nothing is unread any more. */
  see() {
    const { unread } = this.memory.state;
    if (!unread.length) return;
    this.memory.update((state) => {
      state.seen = [...state.seen, ...state.unread].slice(-REMEMBERED);
      state.unread = [];
    });
    this.changed();
  }

  async earlier() {
    const page = await this.client.messages(this.memory.state, this.history[0]?.id);
    this.more = page.messages.length === 50;
    this.history = [...page.messages, ...this.history];
    this.changed();
  }

  // ── the conversation ──

  async start() {
    if (this.memory.state.id) {
      this.live = new Live(this.memory.live);
      if (this.live.turns.size) this.changed();
      await this.catchUp();
    }
    this.outbox.flush();
  }

  async opened() {
    const { id, token } = this.memory.state;
    if (id) return { id, token };
    const fresh = await this.client.open(this.persona, this.locale, this.identity);
    this.memory.update((state) => Object.assign(state, { id: fresh.id, token: fresh.token }));
    this.known = fresh.id;
    return { id: fresh.id, token: fresh.token };
  }

  accepted(message, turn) {
    this.sent.push({ ...message, turn });
    this.mine.add(turn);
    this.memory.update((state) => {
      state.outbox = state.outbox.filter((waiting) => waiting.client_id !== message.client_id);
    });
    this.told("sent", { turn, text: message.text });
    this.connect();
    this.changed();
  }

  refused(message, reason) {
    this.memory.update((state) => {
      state.outbox = state.outbox.filter((waiting) => waiting.client_id !== message.client_id);
      state.refused.push({ ...message, reason });
    });
    this.told("error", { reason });
    this.changed();
  }

  /** The server does not know this conversation any more; waiting messages go into a new one. */
  lost() {
    const { outbox } = this.memory.state;
    this.reset(true);
    this.memory.update((state) => Object.assign(state, { outbox }));
    this.told("ended", {});
    this.changed();
    this.outbox.flush();
  }

  /** Fetches the newest messages until that works once; then follows the replies that are still being written. */
  async catchUp() {
    this.stale = true;
    if (this.catching) return;
    this.catching = true;
    const backoff = new Backoff();
    try {
      // Whoever asks while an answer is under way needs one more: that answer may be older than what they know.
      while (this.stale && !this.closing.signal.aborted) {
        const conversation = this.memory.state;
        if (!conversation.id) return;
        try {
          this.stale = false;
          const { messages } = await this.client.messages(conversation);
          if (conversation.id === this.memory.state.id) this.merge(messages);
          else this.stale = true;
          this.lineIs(true);
          this.connect();
        } catch (error) {
          if (error instanceof Refused && error.gone) return this.lost();
          if (error instanceof Refused && !error.temporary) return;
          this.stale = true;
          this.lineIs(false);
          await backoff.wait(this.closing.signal, error.retryAfter);
        }
      }
    } finally {
      this.catching = false;
    }
  }

  merge(messages) {
    const fresh = new Set(messages.map((message) => message.id));
    if (!this.history.length) this.more = messages.length === 50;
    const first = this.history.findIndex((message) => fresh.has(message.id));
    this.history = [...(first < 0 ? this.history : this.history.slice(0, first)), ...messages];
    this.sent = settle(this.history, this.sent, this.keys);
    this.changed();
  }

  // ── the stream ──

  /** Follows the conversation while a reply is awaited and someone here cares: a visible tab, or the one that asked. */
  connect() {
    const turns = unfinished(this.items);
    const wanted = turns.length && (!document.hidden || turns.some((turn) => this.mine.has(turn)));
    clearTimeout(this.lingering);
    if (!wanted) {
      if (document.hidden) this.disconnect();
      else this.lingering = setTimeout(() => this.disconnect(), LINGER);
    } else if (!this.stream) {
      const { id, token } = this.memory.state;
      this.stream = new Stream({
        client: this.client,
        conversation: { id, token },
        cursor: this.live.cursor,
        heard: (event, data, cursor) => this.heard(event, data, cursor),
        opened: () => this.catchUp(),
        state: (ok) => this.lineIs(ok),
        gone: () => this.lost(),
      });
    }
  }

  disconnect() {
    this.stream?.close();
    this.stream = null;
  }

  heard(event, data, cursor) {
    const before = this.live.turns.get(data.turn)?.status;
    const whole = this.live.apply(event, data, cursor);
    const isNew = !this.items.some((item) => item.role === "user" && item.turn === data.turn);
    if (isNew) this.catchUp();
    if (event === "turn.finished" && !["done", "stopped", "failed"].includes(before)) this.finished(data);
    this.saveSoon();
    this.changed();
    return whole;
  }

  finished({ turn, status, message }) {
    const attended = this.attended();
    this.memory.update((state) => {
      if (state.seen.includes(turn) || state.unread.includes(turn)) return;
      state[attended ? "seen" : "unread"].push(turn);
      state.seen = state.seen.slice(-REMEMBERED);
    });
    this.save();
    this.told("message", { turn, status, text: message.text });
    this.connect();
  }

  // ── tabs, reloads, the line ──

  glanced() {
    if (document.hidden) {
      this.save();
      this.connect();
    } else if (this.memory.state.id) {
      this.catchUp();
    }
  }

  /** Another tab wrote: take over its conversation, its new messages, its counts. */
  elsewhere() {
    const { id } = this.memory.state;
    if (id !== this.known) {
      this.disconnect();
      this.clear();
    }
    if (id && !document.hidden) this.catchUp();
    this.changed();
  }

  saveSoon() {
    this.saving ??= setTimeout(() => this.save(), SAVE_EVERY);
  }

  save() {
    clearTimeout(this.saving);
    this.saving = null;
    if (this.memory.state.id && this.live.cursor) this.memory.live = this.live.snapshot();
  }

  lineIs(ok) {
    const line = ok && navigator.onLine ? "ok" : navigator.onLine ? "retrying" : "offline";
    if (line === this.line) return;
    this.line = line;
    this.changed();
  }
}
