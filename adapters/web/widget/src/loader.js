/* The script of the tag a site pastes. It stays small: it reads the tag, queues calls, and fetches the widget. */
(() => {
  const tag = document.currentScript ?? document.querySelector("script[data-persona][src*='widget.js']");
  const { persona = "", locale, theme, position } = tag.dataset;
  const host = new URL(tag.src).origin;
  const config = { host, persona, locale, theme, position };

  // Calls made before the widget is there wait; a page may also prepare `(window.Parley ??= []).push(["open"])`.
  let parley = window.Parley;
  if (!parley?.waiting) {
    const waiting = Array.isArray(parley) ? [...parley] : [];
    parley = window.Parley = { waiting, push: (...calls) => waiting.push(...calls) };
    for (const name of ["open", "close", "toggle", "identify", "reset", "on"]) {
      parley[name] = (...values) => void waiting.push([name, ...values]);
    }
  }

  import(new URL(`/static/chat.js?v=${__VERSION__}`, host).href).then(
    (chat) => chat.mount(config, parley),
    (error) => {
      console.error(`Parley: the chat could not be loaded from ${host}. A Content-Security-Policy must allow it in script-src and connect-src.`, error);
    },
  );
})();
