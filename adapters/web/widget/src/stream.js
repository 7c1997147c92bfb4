import { Backoff } from "./backoff.js";
import { Refused } from "./client.js";
import { eventsOf } from "./sse.js";

const SILENCE = 40_000; // The server beats every 15 s.

/** One connection to a conversation's events that comes back by itself until it is closed. */
export class Stream {
  /**
   * `heard(event, data, cursor)` for every event; it returns false where events are missing before it, and the
   * stream then starts over. `opened()` after each connection; `state(ok)` when the line breaks or holds again;
   * `gone()` when the server knows the conversation no more.
   */
  constructor({ client, conversation, cursor, heard, opened, state, gone }) {
    Object.assign(this, { client, conversation, cursor, heard, opened, state, gone });
    this.closing = new AbortController();
    this.run();
  }

  close() {
    this.closing.abort();
  }

  async run() {
    const backoff = new Backoff();
    const closed = this.closing.signal;
    while (!closed.aborted) {
      try {
        await this.connect(backoff);
      } catch (error) {
        if (closed.aborted) return;
        if (error instanceof Refused && error.gone) return this.gone();
        this.state(false);
        await backoff.wait(closed, error.retryAfter);
        continue;
      }
      if (!closed.aborted) await backoff.wait(closed);
    }
  }

  async connect(backoff) {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    this.closing.signal.addEventListener("abort", abort);
    let timer = setTimeout(abort, SILENCE);
    try {
      const response = await this.client.events(this.conversation, this.cursor, attempt.signal);
      this.state(true);
      this.opened();
      const alive = () => {
        backoff.reset();
        clearTimeout(timer);
        timer = setTimeout(abort, SILENCE);
      };
      for await (const { id, event, data } of eventsOf(response.body, alive)) {
        if (this.closing.signal.aborted) return;
        const whole = this.heard(event, JSON.parse(data), id);
        this.cursor = whole ? (id ?? this.cursor) : undefined;
        if (!whole) return;
      }
    } finally {
      clearTimeout(timer);
      this.closing.signal.removeEventListener("abort", abort);
    }
  }
}
