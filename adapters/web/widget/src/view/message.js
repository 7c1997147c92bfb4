import { attribute, h } from "../dom.js";
import { Markdown } from "../markdown.js";
import { copyButton, iconButton } from "./button.js";
import { copyText } from "./clipboard.js";
import { sourcesOf } from "./sources.js";

const time = (at, lang) => (at ? new Date(at).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" }) : null);

/** A message of the person. */
export class OwnMessage {
  constructor(item, { t, session, edit }) {
    this.t = t;
    this.note = h("p", { class: "note" });
    this.editButton = h("button", { type: "button", class: "link", on: { click: () => edit(session.takeBack(item.key)) } }, t("edit"));
    this.bubble = h("div", { class: "bubble", dir: "auto", title: time(item.at, t.lang) }, h("span", { class: "hidden" }, `${t("you")}: `), item.text);
    this.node = h("div", { class: "message own", "data-key": item.key }, this.bubble, this.note);
  }

  show({ status, reason }, { line }) {
    this.node.dataset.status = status;
    const { t } = this;
    if (status === "refused") this.note.replaceChildren(`${t("notSent")}: ${reason} `, this.editButton);
    else this.note.textContent = status === "sending" ? t(line === "ok" ? "sending" : "waiting") : "";
    this.note.hidden = !this.note.textContent;
  }
}

/** A reply: typing dots, then streaming Markdown, then its sources and what can be done with it. */
export class Reply {
  constructor(item, { t, session, speech, root, again }) {
    Object.assign(this, { t, session, speech, root, turn: item.turn });
    const tools = (text) => copyButton(t("copyCode"), t("copied"), () => this.copy(text), { class: "tool" });
    this.dots = h("div", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
    this.prose = h("div", { class: "prose", dir: "auto" });
    this.markdown = new Markdown(this.prose, { codeTools: tools, linkHint: t("openLink") });
    this.bubble = h("div", { class: "bubble" }, this.dots, this.prose);
    this.note = h("p", { class: "note" });
    this.extras = h("div", { class: "extras" });
    this.good = this.thumb("up", "up", t("good"));
    this.bad = this.thumb("thumbDown", "down", t("bad"));
    this.again = h("button", { type: "button", class: "link", on: { click: () => again(item.turn) } }, t("again"));
    this.actions = h("div", { class: "actions" }, copyButton(t("copy"), t("copied"), () => this.copy(this.text), { class: "tool" }), this.good, this.bad);
    this.node = h("div", { class: "message reply", "data-key": item.key }, this.bubble, this.note, this.extras, this.actions);
  }

  thumb(name, rating, label) {
    return iconButton(name, label, () => this.rate(rating), { class: "tool", "aria-pressed": "false" });
  }

  async copy(text) {
    const copied = await copyText(text, this.root);
    if (copied) this.speech.say(this.t("copied"));
    return copied;
  }

  async rate(rating) {
    const stored = await this.session.rate(this.turn, rating);
    this.speech.say(this.t(stored ? "thanks" : "rateFailed"));
  }

  show(item, { ratings }) {
    const { text, status } = item;
    const over = !["waiting", "running"].includes(status);
    this.node.dataset.status = status;
    this.dots.hidden = over || text !== "";
    this.bubble.hidden = over && text === "";
    if (this.text !== text) {
      this.text = text;
      this.markdown.show(text);
    }
    if (over !== this.over || status !== this.status) {
      this.over = over;
      this.status = status;
      this.actions.hidden = !over || text === "";
      this.note.replaceChildren(...this.remark(status));
      this.note.hidden = !this.note.hasChildNodes();
      this.bubble.title = (over && time(item.at, this.t.lang)) || "";
      if (over) this.extras.replaceChildren(...sourcesOf(item.sources, this.t));
    }
    attribute(this.good, "aria-pressed", String(ratings[this.turn] === "up"));
    attribute(this.bad, "aria-pressed", String(ratings[this.turn] === "down"));
    return over;
  }

  remark(status) {
    if (status === "stopped") return [this.t("stopped")];
    return status === "failed" ? [`${this.t("failed")} `, this.again] : [];
  }

  /** The reply as a screen reader should hear it. */
  get spoken() {
    return this.markdown.shown.map(({ node }) => (node.className === "code" ? node.querySelector("code").textContent : node.textContent)).join("\n");
  }
}
