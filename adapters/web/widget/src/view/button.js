import { h } from "../dom.js";
import { icon } from "./icons.js";

/** A button with an icon and a name for screen readers and the pointer's tip. */
export function iconButton(name, label, click, props = {}) {
  return h("button", { type: "button", "aria-label": label, title: label, on: { click }, ...props }, icon(name));
}

/** A copy button that shows for a moment that it worked. */
export function copyButton(label, done, copy, props = {}) {
  const button = iconButton("copy", label, async () => {
    if (!(await copy())) return;
    button.replaceChildren(icon("check"));
    button.setAttribute("aria-label", done);
    clearTimeout(button.timer);
    button.timer = setTimeout(() => {
      button.replaceChildren(icon("copy"));
      button.setAttribute("aria-label", label);
    }, 1600);
  }, props);
  return button;
}
