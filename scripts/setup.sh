#!/bin/sh
# Prepara o ambiente de desenvolvimento, dizendo o que faz: com o uv, se ele está na máquina, e senão com o pip.
#   scripts/setup.sh PYTHON PASTA
set -eu
python="$1" venv="$2"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "É preciso Python 3.11 ou mais novo, e $("$python" --version 2>&1) é mais antigo." >&2
  echo "Diga qual usar, por exemplo: make setup PYTHON=python3.12" >&2
  exit 1
}

if command -v uv >/dev/null 2>&1; then
  tool="uv" estimate="menos de um minuto"
  pip() { UV_PYTHON_DOWNLOADS=never uv pip install --python "$venv/bin/python" "$@"; }
else
  tool="pip" estimate="de um a dois minutos"
  # Sem --quiet: cada pacote que chega aparece.
  pip() { "$venv/bin/python" -m pip install --disable-pip-version-check --no-input "$@"; }
fi

echo "1/3 · O ambiente virtual, em $venv"
test -x "$venv/bin/python" || "$python" -m venv "$venv"
echo "2/3 · As dependências, com as impressões conferidas ($tool; $estimate, conforme a rede)"
pip --require-hashes -r requirements-dev.txt
echo "3/3 · O coletor"
pip --no-deps --no-build-isolation -e .
echo "Pronto. O comando é $venv/bin/bling-collector; \`make help\` diz o que mais há."
