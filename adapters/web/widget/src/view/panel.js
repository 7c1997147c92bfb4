import { h } from "../dom.js";
import { Speech } from "../speech.js";
import { iconButton } from "./button.js";
import { Composer } from "./composer.js";
import { Menu } from "./menu.js";
import { ask } from "./question.js";
import { Transcript } from "./transcript.js";

/** The chat window. `session()` is the conversation it shows; `close()` puts it away. */
export class Panel {
  constructor({ t, root, session, close, info }) {
    Object.assign(this, { t, session });
    this.status = h("div", { class: "hidden", role: "status" });
    this.speech = new Speech(this.status, t.lang);
    this.composer = new Composer({ t, send: (text) => session().send(text), stop: () => session().stop() });
    const edit = (text) => {
      this.composer.text = text;
      this.composer.field.focus();
    };
    this.transcript = new Transcript({ t, session, speech: this.speech, root, edit, title: info.title });
    this.line = h("p", { class: "line", hidden: true });
    this.title = h("h2", { id: "title", dir: "auto" });
    this.avatar = h("span", { class: "avatar", "aria-hidden": "true" });
    this.disclaimer = h("p", { class: "disclaimer", dir: "auto", hidden: true });
    this.foot = h("div", { class: "foot" }, this.line, this.composer.node, this.disclaimer);
    this.node = h("dialog", { class: "panel", "aria-labelledby": "title" });
    this.menu = new Menu({
      label: t("more"),
      within: this.node,
      commands: [
        ["fresh", t("fresh"), () => this.startAfresh()],
        ["trash", t("forget"), () => this.forget()],
      ],
    });
    const names = h("div", { class: "names" }, this.title, h("p", { class: "tagline" }, t("tagline")));
    const head = h("header", { class: "head" }, this.avatar, names, this.menu.node, iconButton("close", t("close"), close, { class: "head-button" }));
    this.node.append(head, this.transcript.node, this.transcript.jump, this.foot, this.status);
    this.introduce(info);
  }

  /** Shows who answers: title, greeting, starters, disclaimer, what becomes of ratings. */
  introduce({ title, greeting, starters, disclaimer, rating_notice, missing }) {
    this.title.textContent = title;
    this.avatar.textContent = [...title.trim()][0]?.toUpperCase() ?? "";
    this.disclaimer.textContent = [disclaimer, rating_notice].filter(Boolean).join(" ");
    this.disclaimer.hidden = !this.disclaimer.textContent;
    this.transcript.introduce({ greeting: missing ? this.t("unavailable") : greeting, starters });
  }

  show() {
    const { line, busy } = this.session();
    this.line.hidden = line === "ok";
    const text = line === "ok" ? "" : this.t(line);
    if (this.line.textContent !== text) {
      this.line.textContent = text;
      this.speech.say(text);
    }
    this.composer.busy(busy);
    this.transcript.show();
  }

  startAfresh() {
    this.session().startAfresh();
    this.composer.field.focus();
  }

  async forget() {
    this.foot.classList.add("asking");
    const sure = await ask({ t: this.t, place: this.foot, text: this.t("forgetQuestion"), yes: this.t("forgetYes") });
    this.foot.classList.remove("asking");
    this.composer.field.focus();
    if (!sure) return;
    try {
      await this.session().forget();
      this.say(this.t("forgotten"));
    } catch {
      this.say(this.t("forgetFailed"));
    }
  }

  /** A passing line for everyone: shown above the composer and read out. */
  say(text) {
    this.speech.say(text);
    this.passing?.remove();
    const note = h("p", { class: "passing" }, text);
    this.passing = note;
    this.foot.prepend(note);
    setTimeout(() => note.remove(), 6000);
  }
}
