/** Feeds a `role=status` element whole sentences of a reply, so that a screen reader never reads half a word. */
export class Speech {
  constructor(node, lang) {
    this.node = node;
    this.segmenter = new Intl.Segmenter(lang, { granularity: "sentence" });
    this.spoken = new Map();
    this.queue = [];
  }

  /** Takes a reply's text so far (as shown, without markup); speaks what became whole since. */
  reply(key, text, finished) {
    const sentences = this.split(text);
    if (!finished) sentences.pop();
    const done = this.spoken.get(key) ?? 0;
    if (sentences.length <= done) return;
    this.spoken.set(key, sentences.length);
    this.say(sentences.slice(done).join("").trim());
  }

  /** Marks a reply as known without reading it out. */
  skip(key, text) {
    this.spoken.set(key, this.split(text).length);
  }

  /** Says a line as soon as the one before had its moment. */
  say(text) {
    if (!text) return;
    this.queue.push(text);
    this.timer ??= setTimeout(() => this.next(), 120);
  }

  next() {
    const text = this.queue.splice(0).join(" ");
    this.timer = undefined;
    if (text) this.node.textContent = text === this.node.textContent ? `${text}\u00a0` : text;
  }

  split(text) {
    return [...this.segmenter.segment(text)].map((piece) => piece.segment);
  }
}
