// Shows the sign-up form in the place of a link, inside a shadow root so that neither page touches the other's style.
// Without this script the link stays and leads to the form itself. No cookie, nothing kept in the browser, one server asked.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script) return;
  const base = new URL(script.src).origin;
  const place = script.dataset.into ? document.querySelector(script.dataset.into) : null;
  const language = script.dataset.lang || document.documentElement.lang || "";
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("__STYLE__");
  root.adoptedStyleSheets = [sheet];

  const ask = (path, options) => fetch(base + path, { credentials: "omit", cache: "no-store", ...options });
  const begin = (tag) => ask("/opt-in?" + new URLSearchParams({ part: "form", lang: tag }));

  const show = async (answer, moved) => {
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = read.querySelector(".recado");
    if (!form) throw new Error("not the form");
    for (const link of form.querySelectorAll("a")) {
      const target = link.getAttribute("href");
      if (target.startsWith("#")) {
        link.addEventListener("click", (event) => {
          event.preventDefault();
          root.getElementById(target.slice(1)).focus();
        });
      } else {
        link.href = new URL(target, base).href;
      }
    }
    root.replaceChildren(document.adoptNode(form));
    root.querySelector("form")?.addEventListener("submit", send);
    root.querySelector("[data-again]")?.addEventListener("click", async (event) => {
      event.preventDefault();
      await show(await begin(form.lang), true);
    });
    if (moved) root.querySelector("[tabindex='-1'], h1")?.focus();
  };

  const send = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await show(await ask("/opt-in?part=form", { method: "POST", body: new URLSearchParams(new FormData(form)) }), true);
    } catch {
      button.disabled = false;
      location.assign(base + "/opt-in?" + new URLSearchParams({ lang: form.elements.lang.value }));
    }
  };

  begin(language)
    .then(async (answer) => {
      if (!answer.ok) throw new Error("no form");
      await show(answer, false);
      if (place) place.replaceWith(host);
      else script.after(host);
    })
    .catch(() => {});
})();
