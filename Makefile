# Nada além de Python 3.11 ou mais novo e make. `make` sozinho lista os alvos.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := bench/.venv/.installed
# Sem o bytecode guardado, cada comando que um teste começa compilava outra vez o que importa.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-browser demo test test-slow matrix chaos bench bench-full check image-check infra-check screenshots format docs lock clean

help: ## Lista os alvos
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(STAMP): requirements-dev.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(PYTHON) $(VENV)
	@touch $(STAMP)

setup: $(STAMP) ## Prepara o ambiente em .venv (um minuto na primeira vez; depois, nada)

setup-browser: ## Instala o Chromium dos testes do painel (Debian, Ubuntu); sem ele esses testes são pulados
	@scripts/setup_browser.sh

demo: setup ## As notas de uma empresa simulada, de 2021 até hoje, num PostgreSQL de verdade (1 min)
	@$(BIN)/bling-collector demo

test: setup ## Os testes, sem os lentos (4 min)
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

test-slow: setup ## Os testes lentos (30 min)
	$(BIN)/pytest -n 2 --dist worksteal -m slow

matrix: setup ## Os testes de integração em cada PostgreSQL (14 a 18) e cada Python (3.11 a 3.14) (25 min)
	@$(BIN)/python scripts/matrix.py

chaos: setup ## Duzentas mortes e outros desastres no meio de uma carga; escreve docs/caos.md
	PYTHONPATH=src:. $(BIN)/python -m tests.chaos

$(BENCH_STAMP): bench/requirements.txt $(STAMP)
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv venv --quiet --clear --python $(BIN)/python bench/.venv
	@$(BIN)/uv pip install --quiet --python bench/.venv/bin/python --require-hashes -r bench/requirements.txt
	@touch $(BENCH_STAMP)

bench: $(BENCH_STAMP) ## Mede a carga histórica ao lado da de outros dois coletores (12 min)
	@PYTHONPATH=src:. $(BIN)/python -m bench

bench-full: $(BENCH_STAMP) ## O mesmo, com vinte mil notas e com o limite do Bling (uma hora)
	@PYTHONPATH=src:. $(BIN)/python -m bench --completo

check: setup ## Formato, lint, tipos, camadas, imagem, workflows e os testes, sem os lentos (6 min)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/zizmor --offline --quiet .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(MAKE) test

image-check: setup ## Constrói a imagem sem Docker, fá-la coletar e diz quanto pesa (Linux, root, buildah; 3 min)
	@PYTHONPATH=src:. $(BIN)/python -m tests.image

infra-check: ## Confere infra/terraform: o formato e, se o registro de provedores responde, o esquema
	@scripts/infra_check.sh

screenshots: setup ## Fotografa cada página do painel, com a empresa da demonstração, em docs/imagens
	PYTHONPATH=src:. $(BIN)/python -m tests.support.screenshots

format: setup ## Formata e corrige o que a ferramenta corrige sozinha
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup ## Refaz as páginas de referência a partir do código
	$(BIN)/python docs/gerar.py

lock: setup ## Refaz requirements.txt e requirements-dev.txt a partir de pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" --extra embedded --extra exportar --group dev --constraint requirements.txt pyproject.toml requirements-build.in -o requirements-dev.txt

clean: ## Apaga o ambiente e os arquivos gerados
	rm -rf $(VENV) bench/.venv build dist *.egg-info src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
