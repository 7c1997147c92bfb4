import { Backoff } from "./backoff.js";
import { Refused } from "./client.js";

/** Sends the waiting messages in order, each until it is accepted, under the id it was written with. */
export class Outbox {
  /**
   * `conversation()` gives the open conversation, opening one where needed; `accepted(message, turn)` and
   * `refused(message, reason)` settle a message; `lost()` says the conversation is gone; `state(ok)` the line.
   */
  constructor({ memory, client, conversation, accepted, refused, lost, state }) {
    Object.assign(this, { memory, client, conversation, accepted, refused, lost, state });
    this.closing = new AbortController();
    this.backoff = new Backoff();
    this.busy = false;
  }

  close() {
    this.closing.abort();
  }

  /** Starts sending unless that goes on already. One tab at a time, so that order holds across tabs. */
  async flush() {
    if (this.busy || !this.memory.state.outbox.length) return;
    this.busy = true;
    try {
      const drain = () => this.drain();
      if (navigator.locks) await navigator.locks.request(this.memory.key, { signal: this.closing.signal }, drain);
      else await drain();
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      this.busy = false;
    }
  }

  async drain() {
    for (;;) {
      const [message] = this.memory.state.outbox;
      if (!message || this.closing.signal.aborted) return;
      try {
        const { turn } = await this.client.send(await this.conversation(), message);
        this.backoff.reset();
        this.state(true);
        this.accepted(message, turn);
      } catch (error) {
        await this.failed(message, error);
      }
    }
  }

  async failed(message, error) {
    if (error instanceof Refused && error.gone && this.memory.state.id) {
      this.lost();
    } else if (error instanceof Refused && !error.temporary) {
      this.refused(message, error.message);
    } else {
      this.state(false);
      await this.backoff.wait(this.closing.signal, error.retryAfter);
    }
  }
}
