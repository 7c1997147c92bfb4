const EVENTS = new Set(["turn.started", "delta", "turn.replaced", "turn.finished"]);

/** The replies that are being written: events in, text out, each character exactly once. */
export class Live {
  /** `saved`: what `snapshot` gave, from before a reload. */
  constructor(saved) {
    this.cursor = saved?.cursor;
    this.turns = new Map();
    if (saved?.turn) {
      const { turn, attempt, seq, text } = saved;
      this.turns.set(turn, { attempt, seq, text, status: "running" });
    }
  }

  snapshot() {
    const [turn, progress] = [...this.turns].findLast(([, p]) => p.status === "running") ?? [];
    if (!turn) return { cursor: this.cursor };
    const { attempt, seq, text } = progress;
    return { cursor: this.cursor, turn, attempt, seq, text };
  }

  /** Applies one event. False: something before it is missing, start over without a cursor. */
  apply(event, data, cursor) {
    const known = this.turns.get(data.turn);
    const whole = EVENTS.has(event) ? this[event](data, known) : true;
    if (whole && cursor) this.cursor = cursor;
    if (!whole) this.cursor = undefined;
    return whole;
  }

  "turn.started"({ turn, attempt }, known) {
    if (known && (known.status !== "running" || known.attempt >= attempt)) return true;
    this.turns.set(turn, { attempt, seq: 0, text: "", status: "running" });
    return true;
  }

  delta({ turn, attempt, seq, text }, known) {
    if (known && (known.status !== "running" || attempt < known.attempt)) return true;
    if (!known || attempt > known.attempt) {
      if (seq !== 1) return false;
      this.turns.set(turn, { attempt, seq, text, status: "running" });
      return true;
    }
    if (seq <= known.seq) return true;
    if (seq !== known.seq + 1) return false;
    known.seq = seq;
    known.text += text;
    return true;
  }

  "turn.replaced"({ turn, attempt, seq, text }, known) {
    if (known && (known.status !== "running" || attempt < known.attempt)) return true;
    this.turns.set(turn, { attempt, seq, text, status: "running" });
    return true;
  }

  "turn.finished"({ turn, status, message }, known) {
    this.turns.set(turn, { attempt: known?.attempt ?? 1, seq: 0, text: message.text, status, message });
    return true;
  }
}
