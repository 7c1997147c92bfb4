/* The demo page: a card for every persona, all speaking through one widget, and the tag that puts it on a site. */

const TEXTS = {
  en: {
    headline: "Whom would you like to talk to?",
    lead: "Each persona answers from its own documents, on a model that you run yourself.",
    personas: "Personas",
    ask: "Start a conversation",
    embed: "Put it on your site",
    embedHow: "Paste this line before the end of your page, and add your site’s address to channels.web.origins in parley.yaml.",
    copy: "Copy",
    copied: "Copied",
    health: "Status",
    model: "Answered by {model}",
    trouble: "The personas could not be loaded. Trying again…",
    none: "No persona can answer now. parley check says why.",
  },
  "zh-CN": {
    headline: "想和谁聊聊？",
    lead: "每个角色都根据自己的资料回答，背后是您自己运行的模型。",
    personas: "角色",
    ask: "开始对话",
    embed: "放到您的网站上",
    embedHow: "把这一行粘贴到网页末尾，并在 parley.yaml 的 channels.web.origins 中加入您的网站地址。",
    copy: "复制",
    copied: "已复制",
    health: "运行状态",
    model: "由 {model} 回答",
    trouble: "角色列表加载失败，正在重试…",
    none: "现在没有可用的角色，运行 parley check 查看原因。",
  },
};

const find = (selector) => document.querySelector(selector);
const page = { language: chosenLanguage(), persona: null };

function chosenLanguage() {
  const kept = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("parley-demo-language");
  return /^zh/i.test(kept ?? navigator.language) ? "zh-CN" : "en";
}

function make(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
}

function card({ name, title, greeting, description, accent }) {
  const node = make("button", "card", "");
  node.type = "button";
  node.dataset.persona = name;
  if (accent) node.style.setProperty("--fill", accent);
  const who = make("span", "who", "");
  const face = make("span", "face", [...title][0]?.toUpperCase() ?? "");
  face.setAttribute("aria-hidden", "true");
  who.append(face, make("span", "name", title));
  node.append(who, make("span", "say", greeting || description), make("span", "ask", TEXTS[page.language].ask));
  node.addEventListener("click", () => talkTo(name));
  return node;
}

/** Brings the one widget of this page, made by its own script tag, to a persona. */
function seat(name) {
  page.persona = name;
  const widget = find("parley-chat");
  if (widget) {
    widget.setAttribute("persona", name);
    widget.setAttribute("locale", page.language);
  } else if (!find("script[data-persona]")) {
    const script = document.createElement("script");
    Object.assign(script.dataset, { persona: name, locale: page.language });
    script.src = "/widget.js";
    script.async = true;
    document.body.append(script);
  }
  find(".tag code").textContent = `<script src="${location.origin}/widget.js" data-persona="${name}" async></script>`;
  for (const node of document.querySelectorAll(".card")) node.setAttribute("aria-pressed", String(node.dataset.persona === name));
}

function talkTo(name) {
  seat(name);
  (window.Parley ??= []).push(["open"]);
}

function speak() {
  const texts = TEXTS[page.language];
  document.documentElement.lang = page.language;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = texts[node.dataset.text];
  for (const node of document.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === page.language));
  }
}

async function load() {
  const { language } = page;
  const trouble = find(".trouble");
  for (let pause = 1000; ; pause = Math.min(pause * 2, 15000)) {
    try {
      const answer = await fetch(`/api/v1/personas?locale=${language}`);
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      if (language === page.language) show(await answer.json());
      return;
    } catch {
      trouble.textContent = TEXTS[page.language].trouble;
      trouble.hidden = false;
      await new Promise((done) => setTimeout(done, pause));
    }
  }
}

function show({ personas, model }) {
  const trouble = find(".trouble");
  trouble.hidden = personas.length > 0;
  trouble.textContent = TEXTS[page.language].none;
  find(".cards").replaceChildren(...personas.map(card));
  find(".cards").setAttribute("aria-busy", "false");
  find(".model").hidden = !model;
  find(".model").textContent = TEXTS[page.language].model.replace("{model}", model);
  if (personas.length) seat(page.persona ?? (personas.find(({ name }) => name === "support") ?? personas[0]).name);
}

for (const node of document.querySelectorAll("[data-language]")) {
  node.addEventListener("click", () => {
    page.language = node.dataset.language;
    localStorage.setItem("parley-demo-language", page.language);
    speak();
    load();
  });
}

find(".copy").addEventListener("click", async () => {
  const texts = TEXTS[page.language];
  const code = find(".tag code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    if (!document.execCommand("copy")) return;
  }
  find(".copy").textContent = find("[role=status]").textContent = texts.copied;
  setTimeout(() => (find(".copy").textContent = texts.copy), 1600);
});

speak();
load();
