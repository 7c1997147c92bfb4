import { h } from "../dom.js";
import { icon } from "./icons.js";
import { OwnMessage, Reply } from "./message.js";

const NEAR = 60;

/** The log: greeting, starters, messages. Stays at its end while a person reads there. */
export class Transcript {
  constructor({ t, session, speech, root, edit, title }) {
    this.parts = { t, session, speech, root, edit, again: (turn) => this.askAgain(turn) };
    this.views = new Map();
    this.fresh = true;
    this.greeting = h("div", { class: "message reply greeting", hidden: true });
    this.starters = h("div", { class: "starters", role: "group", "aria-label": t("starters"), hidden: true });
    this.earlier = h("button", { type: "button", class: "chip earlier", hidden: true, on: { click: () => session().earlier() } }, t("earlier"));
    this.list = h("div", { class: "list" });
    this.node = h("div", { class: "log", role: "log", "aria-live": "off", "aria-label": t("log", { title }), tabindex: 0 }, this.earlier, this.greeting, this.starters, this.list);
    this.jump = h("button", { type: "button", class: "jump", hidden: true, "aria-label": t("latest"), title: t("latest"), on: { click: () => this.toEnd(true) } }, icon("down"));
    this.atEnd = true;
    this.node.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.settle()).observe(this.node);
  }

  introduce({ greeting, starters }) {
    const { session } = this.parts;
    this.greeting.replaceChildren(h("div", { class: "bubble" }, h("div", { class: "prose", dir: "auto" }, h("p", {}, greeting ?? ""))));
    this.hasGreeting = Boolean(greeting);
    const chip = ({ label, prompt }) => h("button", { type: "button", class: "chip", dir: "auto", on: { click: () => session().send(prompt) } }, label);
    this.starters.replaceChildren(...(starters ?? []).map(chip));
  }

  askAgain(turn) {
    const session = this.parts.session();
    const question = session.items.filter((item) => item.turn === turn && item.role === "user");
    if (question.length) session.send(question.map((item) => item.text).join("\n"));
  }

  show() {
    const session = this.parts.session();
    const { items, line, ratings, more } = session;
    const seen = new Set();
    let place = this.list.firstChild;
    for (const item of items) {
      seen.add(item.key);
      let view = this.views.get(item.key);
      if (!view) {
        view = item.role === "user" ? new OwnMessage(item, { ...this.parts, session }) : new Reply(item, { ...this.parts, session });
        this.views.set(item.key, view);
        if (item.role === "user" && !this.fresh) this.atEnd = true;
      }
      if (view.node === place) place = place.nextSibling;
      else this.list.insertBefore(view.node, place);
      const over = view.show(item, { line, ratings });
      if (item.role === "assistant") this.speak(view, item, over);
    }
    for (const [key, view] of this.views) {
      if (seen.has(key)) continue;
      view.node.remove();
      this.views.delete(key);
    }
    this.fresh = false;
    this.earlier.hidden = !more;
    this.greeting.hidden = !this.hasGreeting || more;
    this.starters.hidden = items.length > 0 || !this.starters.hasChildNodes();
    this.node.setAttribute("aria-busy", String(items.some((item) => item.role === "assistant" && ["waiting", "running"].includes(item.status))));
    this.settle();
  }

  speak(view, { key, status }, over) {
    const { speech } = this.parts;
    if (this.fresh && over) speech.skip(key, view.spoken);
    else if (status !== "waiting") speech.reply(key, view.spoken, over);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.node;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.jump.hidden = this.atEnd;
  }

  settle() {
    if (this.atEnd) this.toEnd();
    else this.scrolled();
  }

  toEnd(smooth = false) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.node.scrollTo({ top: this.node.scrollHeight, behavior: smooth && !calm ? "smooth" : "instant" });
    this.jump.hidden = true;
    this.atEnd = true;
  }
}
