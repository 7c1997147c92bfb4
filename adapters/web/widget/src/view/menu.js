import { h } from "../dom.js";
import { iconButton } from "./button.js";
import { icon } from "./icons.js";

/** A button that unfolds a short list of commands. Esc or a click elsewhere folds it. */
export class Menu {
  constructor({ label, commands, within }) {
    this.button = iconButton("more", label, () => this.toggle(), { class: "head-button", "aria-expanded": "false" });
    const entry = ([name, text, run]) => {
      const click = () => {
        this.fold(true);
        run();
      };
      return h("button", { type: "button", class: `entry entry-${name}`, on: { click } }, icon(name), text);
    };
    this.list = h("div", { class: "menu", hidden: true }, commands.map(entry));
    this.node = h("div", { class: "menu-place" }, this.button, this.list);
    within.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(this.node)) this.fold();
    });
    this.node.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !this.node.contains(event.relatedTarget)) this.fold();
    });
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (this.list.hidden) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.fold(true);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const entries = [...this.list.children];
      const at = entries.indexOf(this.node.getRootNode().activeElement);
      entries.at((at + (event.key === "ArrowDown" ? 1 : -1)) % entries.length).focus();
    }
  }

  toggle() {
    if (!this.list.hidden) return this.fold(true);
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.list.firstChild.focus();
  }

  fold(back = false) {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus();
  }
}
