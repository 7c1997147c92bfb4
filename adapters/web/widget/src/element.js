import { Backoff } from "./backoff.js";
import { Client } from "./client.js";
import { palette } from "./colour.js";
import { Memory, read, visitorKey, write } from "./memory.js";
import { Session } from "./session.js";
import { Styles } from "./styles.js";
import { localeFor, translator } from "./texts.js";
import { Launcher } from "./view/launcher.js";
import { Modality } from "./view/modality.js";
import { Panel } from "./view/panel.js";

/**
 * `<parley-chat host="https://…" persona="…">`. Attributes: persona, locale, theme (light, dark), position (end,
 * start, left, right). Sends `parley` events: `{name, persona, …}`.
 */
export class ParleyChat extends HTMLElement {
  static observedAttributes = ["persona", "locale", "position"];
  number = 0;

  connectedCallback() {
    if (!this.shadowRoot) {
      this.attachShadow({ mode: "open" });
      this.styles = new Styles(this.shadowRoot);
    }
    this.build();
  }

  disconnectedCallback() {
    this.take();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.session) return;
    if (name === "position") return this.paint();
    const open = this.isOpen;
    this.take();
    this.build();
    if (open) this.open();
  }

  get persona() {
    return this.getAttribute("persona") ?? "";
  }

  get isOpen() {
    return this.panel?.node.open ?? false;
  }

  /** Stacks the launchers of several widgets in one corner. */
  set place(number) {
    this.number = number;
    if (this.session) this.paint();
  }

  build() {
    const { shadowRoot } = this;
    this.leaving = new AbortController();
    this.client = new Client(this.getAttribute("host") ?? location.origin);
    this.locale = localeFor(this.getAttribute("locale"));
    this.t = translator(this.locale);
    this.info = { title: this.persona };
    this.memoryKey = this.keyFor(this.identity);
    this.launcher = new Launcher({ t: this.t, toggle: () => this.toggle() });
    this.panel = new Panel({ t: this.t, root: shadowRoot, session: () => this.session, close: () => this.close(), info: this.info });
    this.modality = new Modality(this.panel.node);
    this.panel.node.addEventListener("keydown", (event) => this.key(event));
    this.panel.node.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    this.begin();
    shadowRoot.replaceChildren(this.panel.node, this.launcher.node);
    shadowRoot.host.setAttribute("lang", this.t.lang);
    this.paint();
    this.render();
    this.introduce();
    if (read(`${this.memoryKey}:open`, "sessionStorage") && !this.modality.phone) this.open({ focus: false });
  }

  begin() {
    this.session?.close();
    const memory = new Memory(this.memoryKey, () => this.session.elsewhere());
    this.session = new Session({
      client: this.client,
      memory,
      persona: this.persona,
      locale: this.locale,
      identity: this.identity,
      changed: () => this.changed(),
      told: (name, detail) => this.told(name, detail),
      attended: () => this.isOpen && !document.hidden,
    });
  }

  take() {
    this.leaving?.abort();
    this.modality?.release();
    this.session?.close();
    this.session = null;
  }

  async introduce() {
    const backoff = new Backoff();
    const { signal } = this.leaving;
    while (!signal.aborted) {
      try {
        const { personas } = await this.client.personas(this.locale);
        if (signal.aborted) return;
        const found = personas.find(({ name }) => name === this.persona);
        if (!found) {
          const known = personas.map(({ name }) => name).join(", ");
          console.error(`Parley: there is no persona "${this.persona}" at ${this.client.base}; data-persona can be: ${known}`);
        }
        this.info = found ?? { title: this.persona, missing: true };
        this.panel.introduce(this.info);
        this.paint();
        this.render();
        return this.told("ready", {});
      } catch (error) {
        if (!signal.aborted) await backoff.wait(signal, error.retryAfter);
      }
    }
  }

  // ── what the page may do ──

  open({ focus = true } = {}) {
    if (this.isOpen) return;
    this.modality.open();
    this.keepOpen(true);
    this.session.see();
    this.render();
    this.panel.transcript.toEnd();
    this.panel.composer.typed();
    if (focus) (matchMedia("(pointer: coarse)").matches ? this.panel.transcript.node : this.panel.composer.field).focus();
    else this.shadowRoot.activeElement?.blur();
    this.told("open", {});
  }

  close() {
    if (!this.isOpen) return;
    const within = this.shadowRoot.activeElement;
    this.panel.node.close();
    this.keepOpen(null);
    this.render();
    if (within) this.launcher.node.focus();
    this.told("close", {});
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** The visitor's signed name from the site's server; another visitor has another conversation. */
  identify(jwt) {
    this.identity = jwt;
    const key = this.keyFor(jwt);
    if (key === this.memoryKey) {
      this.session.identity = jwt;
      return;
    }
    this.memoryKey = key;
    this.begin();
    this.render();
  }

  /** Remembers for this tab that the panel is open, so that a reload finds it so. */
  keepOpen(open) {
    write(`${this.memoryKey}:open`, open, "sessionStorage");
  }

  keyFor(jwt) {
    return `parley:${new URL(this.client.base).host}:${this.persona}${visitorKey(jwt)}`;
  }

  /** Forgets the conversation in this browser, as for a log-out. */
  reset() {
    this.session.reset(true);
  }

  // ── looks ──

  key(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || this.modality.phone) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  changed() {
    this.frame ??= requestAnimationFrame(() => this.render());
    // A hidden page has no frames; what assistive technology or a test reads must not wait for one.
    if (document.hidden) setTimeout(() => this.frame && this.render(), 100);
  }

  render() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    if (!this.session) return;
    const { unread } = this.session;
    if (unread && this.isOpen && !document.hidden) return this.session.see();
    this.panel.show();
    this.launcher.show({ open: this.isOpen, unread, title: this.info.title });
    if (this.unread !== unread) this.told("unread", { count: unread });
    this.unread = unread;
  }

  paint() {
    const style = getComputedStyle(this);
    const wanted = style.getPropertyValue("--parley-accent").trim();
    const position = this.getAttribute("position") ?? "end";
    const side = { start: "left", end: "right" }[position];
    const mirrored = side && style.direction === "rtl";
    const place = mirrored ? { left: "right", right: "left" }[side] : (side ?? position);
    this.styles.paint(palette(wanted || this.info.accent || ""), { side: place, slot: this.number });
  }

  told(name, detail) {
    if (name === "ended") this.panel.say(this.t("ended"));
    this.dispatchEvent(new CustomEvent("parley", { detail: { name, persona: this.persona, ...detail } }));
  }
}
