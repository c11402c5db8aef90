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
