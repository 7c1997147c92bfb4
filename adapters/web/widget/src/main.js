import { Page } from "./page.js";
import { ParleyChat } from "./element.js";

if (!customElements.get("parley-chat")) customElements.define("parley-chat", ParleyChat);

let page;

/** Puts one widget on the page, as its script tag asks, and answers the calls that waited in `parley`. */
export async function mount(config, parley) {
  if (!document.body) await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  page ??= new Page(parley);
  page.add(config);
}
