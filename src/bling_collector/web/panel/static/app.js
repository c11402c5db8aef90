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
  if (event.target.matches("[method=post], [action$='/executar/plano']") && pressed) {
    setTimeout(() => { pressed.disabled = true; pressed.setAttribute("aria-busy", "true"); });
  }
});
window.addEventListener("pageshow", () => {
  for (const pressed of document.querySelectorAll("[aria-busy=true]")) {
    pressed.disabled = false;
    pressed.removeAttribute("aria-busy");
  }
});

// Sem resposta do serviço a página fica como está, e diz que o que mostra pode ser velho.
const contact = document.getElementById("contato");
const say = (text) => { if (contact.textContent !== text) contact.textContent = text; };
const unanswered = (source) => {
  if (source.getAttribute("hx-trigger")?.startsWith("every")) {
    say("Sem resposta do serviço; tentando de novo.");
    return;
  }
  const line = document.createElement("p");
  const again = document.createElement("a");
  line.setAttribute("role", "alert");
  again.href = location.pathname + location.search;
  again.textContent = "Tentar de novo";
  line.append("O serviço não respondeu a esta parte da página. ", again);
  source.removeAttribute("aria-busy");
  source.replaceChildren(line);
};
document.addEventListener("htmx:after:request", (event) => {
  const ctx = event.detail.ctx;
  if (ctx.hx.redirect) return; // a sessão acabou: o htmx leva à porta
  const answer = new DOMParser().parseFromString(ctx.text, "text/html");
  if (ctx.response.status < 400 && (ctx.select ? answer.querySelector(ctx.select) : answer.body.childElementCount)) {
    say("");
    return;
  }
  event.preventDefault(); // nem um erro nem outra página entram no lugar desta
  unanswered(ctx.sourceElement);
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx) unanswered(event.detail.ctx.sourceElement);
});

// Num celular as repartições vêm dobradas, para que a página não tenha dez telas.
const fold = () => {
  if (!matchMedia("(max-width: 46rem)").matches) return;
  for (const part of document.querySelectorAll("details.part:not([data-folded])")) {
    part.dataset.folded = "";
    part.open = false;
  }
};
fold();
document.addEventListener("htmx:after:swap", fold);

// Uma execução em curso: o servidor manda o andamento já escrito, e aqui só se troca o texto.
const live = document.querySelector("[data-live-url]");
if (live && "EventSource" in window) {
  const bar = live.querySelector("progress");
  let silence;
  const lost = () => say("Perdi o contato com o serviço; tentando de novo…");
  const show = (event) => {
    const now = JSON.parse(event.data);
    for (const place of live.querySelectorAll("[data-live]")) {
      const text = now[place.dataset.live];
      if (place.textContent !== text) place.textContent = text;
    }
    bar.max = now.maximo;
    if (now.valor === null) bar.removeAttribute("value");
    else bar.value = now.valor;
  };
  const listen = () => {
    const source = new EventSource(live.dataset.liveUrl);
    clearTimeout(silence);
    silence = setTimeout(lost, 10000);
    source.onmessage = (event) => {
      clearTimeout(silence);
      silence = setTimeout(lost, 10000);
      say("");
      show(event);
    };
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return; // o navegador a refaz sozinho
      lost();
      setTimeout(again, 5000);
    };
    source.addEventListener("fim", () => {
      source.close();
      clearTimeout(silence);
      setTimeout(() => location.reload(), 1000); // a execução grava os últimos registros logo depois de acabar
    });
  };
  // Um EventSource não diz por que foi recusado: pergunta-se à página, que manda à porta quem já não tem sessão.
  const again = async () => {
    try {
      const answer = await fetch(location.pathname, { headers: { "HX-Request": "true", "HX-Current-URL": location.href, Accept: "text/html" } });
      const door = answer.headers.get("HX-Redirect");
      if (door) location.assign(door);
      else listen();
    } catch {
      setTimeout(again, 5000);
    }
  };
  listen();
}
