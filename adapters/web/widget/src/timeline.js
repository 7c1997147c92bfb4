/**
 * What the transcript shows, from all that is known: the server's messages, replies being written, messages under
 * way. Items: `{key, role, text, turn, at, status, sources, id}` in reading order.
 *
 * Status of a user's message: sent, sending, refused; of a reply: done, waiting, running, stopped, failed.
 */
export function timeline({ history, sent, turns, outbox, refused, keys }) {
  const items = [];
  const ofTurn = new Map();
  for (const message of history) {
    const number = (ofTurn.get(message.turn) ?? 0) + (message.role === "user" ? 1 : 0);
    ofTurn.set(message.turn, number);
    const own = message.role === "user" ? `${message.turn}:${number}` : message.turn;
    const status = message.role === "user" ? "sent" : (turns.get(message.turn)?.status ?? "done");
    items.push({ ...message, key: keys.get(own) ?? own, status: status === "running" ? "done" : status });
  }
  for (const { client_id, text, turn, at } of sent) {
    const item = { key: client_id, role: "user", text, turn, at, status: "sent" };
    items.splice(endOfTurn(items, turn, "user"), 0, item);
  }
  const answered = new Set(items.filter((item) => item.role === "assistant").map((item) => item.turn));
  for (const [turn, progress] of turns) {
    if (answered.has(turn)) continue;
    answered.add(turn);
    items.splice(endOfTurn(items, turn), 0, reply(turn, progress));
  }
  for (const turn of new Set(items.filter((item) => item.role === "user").map((item) => item.turn))) {
    if (answered.has(turn)) continue;
    items.splice(endOfTurn(items, turn), 0, { key: turn, role: "assistant", turn, text: "", status: "waiting" });
  }
  for (const { client_id, text, at } of outbox) {
    items.push({ key: client_id, role: "user", text, at, status: "sending" });
  }
  for (const { client_id, text, at, reason } of refused) {
    items.push({ key: client_id, role: "user", text, at, status: "refused", reason });
  }
  return items;
}

function reply(turn, { text, status, message }) {
  return { key: turn, role: "assistant", turn, text, status, at: message?.at, id: message?.id, sources: message?.sources };
}

function endOfTurn(items, turn, role) {
  const last = items.findLastIndex((item) => item.turn === turn && (!role || item.role === role));
  return last < 0 ? items.length : last + 1;
}

/** The turns that still wait for their reply's end, oldest first. */
export function unfinished(items) {
  return items.filter((i) => i.role === "assistant" && ["waiting", "running"].includes(i.status)).map((i) => i.turn);
}

/**
 * Takes messages known only as sent out of `sent` once the server's list holds them. Their views keep their keys:
 * `keys` maps `turn:number` to the key they were shown under.
 */
export function settle(history, sent, keys) {
  const rest = [...sent];
  const numbers = new Map();
  for (const { role, turn, text } of history) {
    if (role !== "user") continue;
    const number = (numbers.get(turn) ?? 0) + 1;
    numbers.set(turn, number);
    const at = rest.findIndex((message) => message.turn === turn && message.text === text);
    if (at >= 0) keys.set(`${turn}:${number}`, rest.splice(at, 1)[0].client_id);
  }
  return rest;
}
