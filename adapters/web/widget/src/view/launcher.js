import { attribute, h } from "../dom.js";
import { icon } from "./icons.js";

/** The round button in the page's corner, with the number of unread replies. */
export class Launcher {
  constructor({ t, toggle }) {
    this.t = t;
    this.badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
    this.node = h("button", { type: "button", class: "launcher", "aria-haspopup": "dialog", on: { click: toggle } }, icon("chat"), icon("down"), this.badge);
  }

  show({ open, unread, title }) {
    const name = open ? "close" : unread ? "openUnread" : "open";
    this.node.setAttribute("aria-label", this.t(name, { title, count: unread }));
    this.node.setAttribute("aria-expanded", String(open));
    attribute(this.node, "data-open", open);
    this.badge.hidden = open || !unread;
    this.badge.textContent = unread > 9 ? "9+" : String(unread);
  }
}
