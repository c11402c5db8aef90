#!/bin/sh
# O Chromium dos testes do painel. Sem ele os testes são pulados e dizem por quê: por isso nada aqui falha.
set -u
for name in "${BLING_CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
  if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
    echo "Há um navegador: $(command -v "$name")"
    exit 0
  fi
done
if ! command -v apt-get >/dev/null 2>&1; then
  echo "Aqui não há apt-get. Instale o Chromium pelo gerenciador do sistema, ou aponte BLING_CHROMIUM para um;" >&2
  echo "sem ele os testes do painel são pulados." >&2
  exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1 || ! sudo -n true 2>/dev/null; then
    echo "Instalar o Chromium pede root: rode «sudo apt-get install chromium»." >&2
    echo "Sem ele os testes do painel são pulados." >&2
    exit 0
  fi
  as_root="sudo"
fi
if { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends chromium; } >/dev/null 2>&1; then
  echo "Chromium instalado: $(command -v chromium || command -v chromium-browser)"
else
  echo "O Chromium não pôde ser instalado por apt-get; os testes do painel serão pulados." >&2
fi
