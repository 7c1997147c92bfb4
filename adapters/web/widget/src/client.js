/** The HTTP calls of the web API. The token travels in a header only. */

export class Refused extends Error {
  constructor(status, detail, retryAfter) {
    super(detail || `the server answered ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** Whether the conversation is gone for this browser: erased, expired or revoked. */
  get gone() {
    return [401, 403, 404].includes(this.status);
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    return this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

async function refusal(response) {
  let detail = "";
  try {
    detail = (await response.json()).detail;
  } catch {
    // No problem document: the status has to do.
  }
  return new Refused(response.status, detail, Number(response.headers.get("retry-after")) || 0);
}

export class Client {
  constructor(host) {
    this.base = new URL("/api/v1/", host).href;
  }

  async request(method, path, { token, body, signal, accept = "application/json" } = {}) {
    const headers = { accept };
    if (token) headers.authorization = `Bearer ${token}`;
    if (body) headers["content-type"] = "application/json";
    const options = { method, headers, signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" };
    const response = await fetch(this.base + path, { ...options, body: body && JSON.stringify(body) });
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async json(method, path, options = {}) {
    const response = await this.request(method, path, { signal: AbortSignal.timeout(20_000), ...options });
    return response.status === 204 ? null : response.json();
  }

  personas(locale) {
    return this.json("GET", `personas?locale=${encodeURIComponent(locale)}`);
  }

  open(persona, locale, identity) {
    return this.json("POST", "conversations", { body: { persona, locale, ...(identity && { identity }) } });
  }

  messages({ id, token }, before) {
    const query = before ? `&before=${encodeURIComponent(before)}` : "";
    return this.json("GET", `conversations/${id}/messages?limit=50${query}`, { token });
  }

  send({ id, token }, { client_id, text }) {
    return this.json("POST", `conversations/${id}/messages`, { token, body: { client_id, text } });
  }

  events({ id, token }, after, signal) {
    const query = after ? `?after=${encodeURIComponent(after)}` : "";
    return this.request("GET", `conversations/${id}/events${query}`, { token, signal, accept: "text/event-stream" });
  }

  stop({ token }, turn) {
    return this.json("POST", `turns/${turn}/stop`, { token });
  }

  rate({ token }, turn, rating) {
    return this.json("POST", `turns/${turn}/feedback`, { token, body: { rating } });
  }

  erase({ id, token }) {
    return this.json("DELETE", `conversations/${id}`, { token });
  }
}
