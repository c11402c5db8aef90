#!/bin/sh
# Prepara o ambiente de desenvolvimento, dizendo o que faz: com o uv e, onde ele não alcança os pacotes, com o pip.
#   scripts/setup.sh PYTHON PASTA
set -eu
python="$1" venv="$2"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "É preciso Python 3.11 ou mais novo, e $("$python" --version 2>&1) é mais antigo." >&2
  echo "Diga qual usar, por exemplo: make setup PYTHON=python3.12" >&2
  exit 1
}

# Sem --quiet: cada pacote que chega aparece.
with_pip() { "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$1"; }
with_uv() { UV_PYTHON_DOWNLOADS=never "$venv/bin/uv" pip install --python "$venv/bin/python" "$@"; }

echo "1/3 · O ambiente virtual, em $venv"
test -x "$venv/bin/python" || "$python" -m venv "$venv"
echo "2/3 · As dependências, com as impressões conferidas (de meio a dois minutos, conforme a rede)"
# O uv leva segundos onde o pip leva um minuto, meio dele calado; mas só o pip ouve um pip.conf.
awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements-dev.txt > "$venv/uv.txt"
with_pip "$venv/uv.txt"
with_uv --require-hashes -r requirements-dev.txt || {
  echo "O uv não os alcançou; agora com o pip, que é mais demorado e, ao fim, instala tudo calado." >&2
  with_pip requirements-dev.txt
}
echo "3/3 · O coletor"
with_uv --offline --no-deps --no-build-isolation -e .
echo "Pronto. O comando é $venv/bin/bling-collector; \`make help\` diz o que mais há."
