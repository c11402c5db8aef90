# syntax=docker/dockerfile:1

# O pacote, construído com as ferramentas travadas em requirements-dev.txt; nada deste estágio vai para a imagem.
FROM python:3.12-slim-bookworm AS pacote
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /construir
COPY requirements-dev.txt ./
RUN pip install --require-hashes -r requirements-dev.txt
COPY pyproject.toml README.md ./
COPY src ./src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /pacote .

# O ambiente: só o que roda, com as impressões conferidas. Sem o PostgreSQL embutido: na imagem, o banco é DATABASE_URL.
FROM python:3.12-slim-bookworm AS ambiente
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/bling
WORKDIR /construir
COPY requirements.txt ./
RUN pip --python /opt/bling/bin/python install --require-hashes -r requirements.txt
COPY --from=pacote /pacote /pacote
RUN pip --python /opt/bling/bin/python install --no-deps --no-index /pacote/*.whl

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="bling-collector" \
      org.opencontainers.image.description="Copia as NF-e, os contatos e os produtos do Bling para o PostgreSQL" \
      org.opencontainers.image.documentation="README.md"
ENV PATH="/opt/bling/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8080
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin coletor
COPY --from=ambiente /opt/bling /opt/bling
# A imagem oficial vem sem o bytecode da biblioteca padrão, e quem roda não o pode escrever: cada começo o refaria.
RUN python -m compileall -q -x '/(ensurepip|idlelib|lib2to3|pydoc_data|site-packages|tkinter|turtledemo)/' \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
WORKDIR /srv
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
# A porta vem de PORT, que o Cloud Run define.
CMD ["bling-collector", "serve", "--host", "0.0.0.0"]
