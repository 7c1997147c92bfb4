/** Server-sent events from a fetch body, so that the token can travel in a header (EventSource cannot). */

/** Feeds text in pieces of any size; returns the events that became complete: `{id, event, data}`. */
export class EventParser {
  constructor() {
    this.rest = "";
    this.fresh();
  }

  fresh() {
    this.id = undefined;
    this.event = "message";
    this.data = [];
  }

  push(text) {
    const events = [];
    this.rest += text;
    // A carriage return at the end may be half of CRLF: it waits for what follows.
    const held = this.rest.endsWith("\r") ? 1 : 0;
    const lines = this.rest.slice(0, this.rest.length - held).split(/\r\n|\n|\r/);
    this.rest = lines.pop() + (held ? "\r" : "");
    for (const line of lines) {
      if (line === "") {
        if (this.data.length) events.push({ id: this.id, event: this.event, data: this.data.join("\n") });
        this.fresh();
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") this.data.push(value);
      else if (field === "event") this.event = value;
      else if (field === "id") this.id = value;
    }
    return events;
  }
}

/** The events of a response body. `alive` is called for every piece, heart-beats included. */
export async function* eventsOf(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
