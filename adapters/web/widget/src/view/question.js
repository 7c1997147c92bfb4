import { h } from "../dom.js";

/** Asks in place of the composer before something is deleted. Resolves to the answer; Esc is no. */
export function ask({ t, place, text, yes }) {
  return new Promise((resolve) => {
    const answer = (value) => {
      box.remove();
      resolve(value);
    };
    const no = h("button", { type: "button", class: "plain", on: { click: () => answer(false) } }, t("cancel"));
    const sure = h("button", { type: "button", class: "danger", on: { click: () => answer(true) } }, yes);
    const keydown = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      answer(false);
    };
    const box = h("div", { class: "question", role: "alertdialog", "aria-label": text, on: { keydown } }, h("p", {}, text), h("div", { class: "answers" }, no, sure));
    place.append(box);
    no.focus();
  });
}
