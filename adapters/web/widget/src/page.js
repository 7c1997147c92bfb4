const CALLS = ["open", "close", "toggle", "identify", "reset"];

/** All widgets of a page, and the `Parley` object its scripts call. */
export class Page {
  constructor(parley) {
    this.widgets = [];
    this.listeners = new Map();
    const waiting = parley.waiting.splice(0);
    for (const name of CALLS) parley[name] = (...values) => this.call(name, ...values);
    parley.on = (name, listener) => this.on(name, listener);
    parley.push = (...calls) => calls.forEach(([name, ...values]) => parley[name](...values));
    queueMicrotask(() => parley.push(...waiting));
  }

  add({ host, persona, locale, theme, position }) {
    const widget = document.createElement("parley-chat");
    const attributes = { host, persona, locale, theme, position };
    for (const [name, value] of Object.entries(attributes)) if (value) widget.setAttribute(name, value);
    widget.place = this.widgets.filter((other) => other.getAttribute("position") === widget.getAttribute("position")).length;
    if (this.identity) widget.identity = this.identity;
    widget.addEventListener("parley", ({ detail }) => this.heard(widget, detail));
    this.widgets.push(widget);
    document.body.append(widget);
  }

  /** `open`, `close` and `toggle` mean the first widget, or that of the persona named. */
  call(name, value) {
    if (name === "identify") this.identity = value;
    const all = name === "identify" || name === "reset";
    const named = value === undefined ? this.widgets.slice(0, 1) : this.widgets.filter((widget) => widget.persona === value);
    for (const widget of all ? this.widgets : named) widget[name](name === "identify" ? value : undefined);
  }

  /** Calls `listener(detail)` on `ready open close sent message unread feedback error ended`; returns what ends it. */
  on(name, listener) {
    if (!this.listeners.has(name)) this.listeners.set(name, new Set());
    this.listeners.get(name).add(listener);
    return () => this.listeners.get(name).delete(listener);
  }

  heard(widget, detail) {
    if (detail.name === "open") this.widgets.filter((other) => other !== widget).forEach((other) => other.close());
    for (const listener of this.listeners.get(detail.name) ?? []) listener(detail);
  }
}
