import { Lexer } from "../vendor/marked/marked.esm.js";
import { h } from "./dom.js";
import { decodeEntities, safeAddress } from "./links.js";

/**
 * Markdown as DOM nodes: the lexer's tokens become elements from the list below and text nodes, nothing else.
 * Raw HTML is shown as text, images become links, links with other schemes become their text.
 */
export class Markdown {
  /** `codeTools(text)` gives the elements beside a code block; `linkHint` is read out after a link. */
  constructor(node, { codeTools, linkHint }) {
    Object.assign(this, { node, codeTools, linkHint });
    this.shown = [];
  }

  /** Shows `text`; blocks that did not change keep their nodes, so a selection in them survives the stream. */
  show(text) {
    const tokens = lex(text);
    const links = JSON.stringify(tokens.links ?? {});
    const blocks = tokens.filter((token) => token.type !== "space" && token.type !== "def");
    blocks.forEach((token, index) => {
      const mark = token.type + token.raw + links;
      if (this.shown[index]?.mark === mark) return;
      const fresh = this.block(token);
      if (this.shown[index]) this.shown[index].node.replaceWith(fresh);
      else this.node.append(fresh);
      this.shown[index] = { mark, node: fresh };
    });
    for (const { node } of this.shown.splice(blocks.length)) node.remove();
  }

  blocks(tokens) {
    return tokens.filter((token) => token.type !== "space" && token.type !== "def").map((token) => this.block(token));
  }

  block(token) {
    switch (token.type) {
      case "paragraph":
        return h("p", {}, this.inline(token.tokens));
      case "heading":
        return h("p", { class: `heading h${token.depth}`, role: "heading", "aria-level": Math.min(6, token.depth + 2) }, this.inline(token.tokens));
      case "code":
        return this.code(token);
      case "blockquote":
        return h("blockquote", {}, this.blocks(token.tokens));
      case "list":
        return h(token.ordered ? "ol" : "ul", { start: token.ordered && token.start !== 1 ? token.start : null }, token.items.map((item) => this.item(item)));
      case "table":
        return this.table(token);
      case "hr":
        return h("hr");
      case "text":
        return token.tokens ? h("p", {}, this.inline(token.tokens)) : h("p", {}, decodeEntities(token.text));
      default:
        return h("p", {}, token.raw);
    }
  }

  item(item) {
    // A tight item's text stands directly in it; a loose one's in paragraphs.
    const children = item.tokens.flatMap((token) => {
      if (token.type === "space" || token.type === "def") return [];
      if (token.type === "checkbox") return [h("input", { type: "checkbox", disabled: true, checked: token.checked, "aria-label": token.checked ? "✓" : "–" })];
      return token.type === "text" && !item.loose ? this.inline(token.tokens ?? [token]) : [this.block(token)];
    });
    return h("li", { class: item.task ? "task" : null }, children);
  }

  code({ text, lang }) {
    const language = (lang ?? "").split(/\s/)[0].slice(0, 24);
    const pre = h("pre", { tabindex: 0, dir: "ltr" }, h("code", {}, text));
    return h("div", { class: "code" }, h("div", { class: "code-bar" }, h("span", {}, language), this.codeTools(text)), pre);
  }

  table({ header, rows, align }) {
    const cell = (tag) => (content, column) => h(tag, { class: align[column] ? `to-${align[column]}` : null }, this.inline(content.tokens));
    const head = h("thead", {}, h("tr", {}, header.map(cell("th"))));
    const body = h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td")))));
    return h("div", { class: "table", tabindex: 0 }, h("table", {}, head, rows.length ? body : null));
  }

  inline(tokens) {
    return tokens.flatMap((token) => this.span(token));
  }

  span(token) {
    switch (token.type) {
      case "strong":
      case "em":
      case "del":
        return [h(token.type, {}, this.inline(token.tokens))];
      case "codespan":
        return [h("code", {}, token.text)];
      case "br":
        return [h("br")];
      case "link":
        return this.link(token.href, this.inline(token.tokens));
      case "image":
        return this.link(token.href, [decodeEntities(token.text) || token.href]);
      case "text":
        return token.tokens ? this.inline(token.tokens) : [decodeEntities(token.text)];
      case "escape":
        return [token.text];
      case "html":
        return /^<br\s*\/?>$/i.test(token.raw.trim()) ? [h("br")] : [token.raw];
      default:
        return [token.raw];
    }
  }

  link(href, children) {
    const address = safeAddress(decodeEntities(href));
    if (!address) return children;
    const hint = h("span", { class: "hidden" }, ` (${this.linkHint})`);
    return [h("a", { href: address, title: address, target: "_blank", rel: "noopener noreferrer nofollow" }, children, hint)];
  }
}

function lex(text) {
  try {
    return new Lexer({ gfm: true, breaks: true }).lex(text);
  } catch {
    // Nested beyond what the lexer's stack carries: plain text loses nothing.
    return [{ type: "plain", raw: text }];
  }
}
