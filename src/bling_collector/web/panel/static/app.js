// O que melhora a página quando há JavaScript; sem ele tudo funciona por enlaces e formulários.
"use strict";

const button = document.getElementById("theme");
if (button) {
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const show = () => button.setAttribute("aria-pressed", String(dark()));
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    document.cookie = `tema=${next}; path=/; max-age=31536000; samesite=lax`;
    show();
  });
}

// Um botão que já foi pedido não se pede outra vez.
document.addEventListener("submit", (event) => {
  const pressed = event.submitter;
  if (event.target.method === "post" && pressed) {
    setTimeout(() => { pressed.disabled = true; pressed.setAttribute("aria-busy", "true"); });
  }
});
window.addEventListener("pageshow", () => {
  for (const pressed of document.querySelectorAll("[aria-busy=true]")) {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
});

// Uma execução em curso: o servidor manda o andamento já escrito, e aqui só se troca o texto.
const live = document.querySelector("[data-live-url]");
if (live && "EventSource" in window) {
  const bar = live.querySelector("progress");
  const source = new EventSource(live.dataset.liveUrl);
  source.onmessage = (event) => {
    const now = JSON.parse(event.data);
    for (const place of live.querySelectorAll("[data-live]")) {
      const text = now[place.dataset.live];
      if (place.textContent !== text) place.textContent = text;
    }
    bar.max = now.maximo;
    if (now.valor === null) bar.removeAttribute("value");
    else bar.value = now.valor;
  };
  source.addEventListener("fim", () => {
    source.close();
    location.reload();
  });
}
