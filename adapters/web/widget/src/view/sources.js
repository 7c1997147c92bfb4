import { h } from "../dom.js";
import { icon } from "./icons.js";

/** The passages an answer rests on, folded away behind their number. */
export function sourcesOf(sources, t) {
  if (!sources?.length) return [];
  const count = sources.length;
  const label = count === 1 ? t("source") : t("sources", { count });
  const entries = sources.map(({ title, path, text }) =>
    h("li", { dir: "auto" }, h("p", { class: "source-title" }, title), h("p", { class: "source-text" }, text), h("p", { class: "source-path" }, path)),
  );
  return [h("details", { class: "sources" }, h("summary", {}, icon("book"), h("span", {}, label), icon("down")), h("ol", {}, entries))];
}
