import { h } from "../dom.js";
import { iconButton } from "./button.js";

const LIMIT = 8000;

/** Where a person writes. Enter sends, Shift+Enter breaks the line; while an input method composes, Enter is its own. */
export class Composer {
  constructor({ t, send, stop }) {
    this.t = t;
    this.send = send;
    this.field = h("textarea", {
      rows: 1,
      dir: "auto",
      placeholder: t("placeholder"),
      "aria-label": t("message"),
      enterkeyhint: "send",
      on: { input: () => this.typed(), keydown: (event) => this.key(event) },
    });
    this.counter = h("p", { class: "counter", role: "alert" });
    this.sendButton = iconButton("send", t("send"), () => this.submit(), { class: "send" });
    this.stopButton = iconButton("stop", t("stop"), stop, { class: "stop", hidden: true });
    this.node = h("div", { class: "composer" }, this.field, this.stopButton, this.sendButton, this.counter);
    this.node.addEventListener("pointerdown", (event) => {
      if (event.target !== this.node) return;
      event.preventDefault();
      this.field.focus();
    });
    this.typed();
  }

  get text() {
    return this.field.value;
  }

  set text(value) {
    this.field.value = value;
    this.typed();
  }

  busy(running) {
    this.running = running;
    const focused = this.stopButton.matches(":focus");
    this.stopButton.hidden = !running;
    this.sendButton.hidden = running && !this.text.trim();
    if (focused && !running) this.field.focus();
  }

  key(event) {
    // 229 stands for "an input method has it", also in Safari, whose keydown comes after compositionend.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.submit();
  }

  typed() {
    const over = [...this.text].length - LIMIT;
    this.counter.textContent = over > 0 ? this.t("tooLong", { count: over }) : "";
    this.sendButton.disabled = over > 0 || !this.text.trim();
    this.field.style.height = "auto";
    this.field.style.height = this.field.scrollHeight ? `${Math.min(this.field.scrollHeight, 160)}px` : "";
    this.busy(this.running ?? false);
  }

  submit() {
    if (this.sendButton.disabled) return;
    const text = this.text.trim();
    this.text = "";
    this.send(text);
    this.field.focus();
  }
}
