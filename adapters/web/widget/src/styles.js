import bubbles from "../styles/bubbles.css";
import foot from "../styles/foot.css";
import launcher from "../styles/launcher.css";
import panel from "../styles/panel.css";
import prose from "../styles/prose.css";
import tokens from "../styles/tokens.css";

function sheet(text) {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
}

const SHARED = [tokens, launcher, panel, bubbles, prose, foot].map(sheet);

/** The style sheets of one widget: the shared ones and its own colours and place. */
export class Styles {
  constructor(root) {
    this.own = new CSSStyleSheet();
    root.adoptedStyleSheets = [...SHARED, this.own];
  }

  /** `side` is left or right; `slot` counts the widgets in that corner. */
  paint({ light, dark }, { side, slot }) {
    const pairs = ["fill", "ink", "text"].map((name) => `--a-${name}:light-dark(${light[name]},${dark[name]});`);
    const place = side === "left" ? "--left:var(--gap);--right:auto" : "--left:auto;--right:var(--gap)";
    this.own.replaceSync(`:host{${pairs.join("")}--slot:${slot};${place}}`);
  }
}
