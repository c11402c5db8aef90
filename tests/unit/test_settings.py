"""A configuração como as pessoas a colam, e o arquivo .env como os editores o salvam."""

import os
from pathlib import Path

import pytest

from bling_collector.config import load_settings
from bling_collector.db.connection.database import parse_url
from bling_collector.errors import ConfigurationError

ID, SECRET = "f2a9c01d", "0b1c2d3e4f5a"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Uma pasta vazia, e nenhuma variável do projeto."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("BLING_", "DATABASE_", "API_", "ALERT_", "TOKEN_"))]:
        monkeypatch.delenv(name)
    return tmp_path


def credentials() -> tuple[str, str]:
    client_id, secret = load_settings().credentials
    return client_id, secret.get_secret_value()


@pytest.mark.parametrize(
    "around",
    [
        " {} ",
        "{}\r\n",
        "\t\n{}\n\n",
        "\u00a0{}\u00a0",
        "\ufeff{}",
        "\u200b{}\u200b",
        "\u2060\u200e{}\u00ad",
        "\u2003{}\u3000",
        '"{}"',
        "'{}'",
        " “{}” ",
        "«{}»",
        '" {} "',
        '\u200b"{}"\n',
    ],
)
def test_what_comes_around_a_pasted_value_does_not_count(monkeypatch: pytest.MonkeyPatch, around: str) -> None:
    monkeypatch.setenv("BLING_CLIENT_ID", around.format(ID))
    monkeypatch.setenv("BLING_CLIENT_SECRET", around.format(SECRET))
    monkeypatch.setenv("DATABASE_URL", around.format("postgresql://ana:segredo@db.example/notas"))
    monkeypatch.setenv("API_PAGE_SIZE", around.format("50"))
    assert credentials() == (ID, SECRET)
    found = load_settings()
    assert found.api_page_size == 50
    assert found.database_url is not None
    assert parse_url(found.database_url.get_secret_value()).database == "notas"


@pytest.mark.parametrize("inside", ["\n", "\r\n  ", "\u200b", "\u00ad", "\ufeff", "\u00a0", " ", "\t"])
def test_nor_what_a_paste_puts_in_the_middle_of_a_credential(monkeypatch: pytest.MonkeyPatch, inside: str) -> None:
    monkeypatch.setenv("BLING_CLIENT_ID", ID[:4] + inside + ID[4:])
    monkeypatch.setenv("BLING_CLIENT_SECRET", SECRET[:4] + inside + SECRET[4:])
    assert credentials() == (ID, SECRET)


def test_an_address_that_a_paste_broke_in_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana:a b@db.exam\r\n   ple/no\u200btas\n")
    found = load_settings().database_url
    assert found is not None
    assert found.get_secret_value() == "postgresql://ana:a b@db.example/notas"


@pytest.mark.parametrize("blank", ["", "  ", "\u200b", "\ufeff\n", '""', "'  '"])
def test_a_blank_one_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    monkeypatch.setenv("BLING_CLIENT_ID", blank)
    with pytest.raises(ConfigurationError, match="Falta BLING_CLIENT_ID"):
        credentials()


def test_a_blank_variable_does_not_hide_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLING_CLIENT_ID", "\u200b")
    (folder / ".env").write_text(f"BLING_CLIENT_ID={ID}\nBLING_CLIENT_SECRET={SECRET}\n", "utf-8")
    assert credentials() == (ID, SECRET)


def test_the_model_is_still_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLING_CLIENT_ID", "seu client id")
    with pytest.raises(ConfigurationError, match="valor do modelo"):
        credentials()


@pytest.mark.skipif(os.name == "nt", reason="no Windows o ambiente é sempre texto")
@pytest.mark.parametrize("name", ["BLING_CLIENT_SECRET", "DATABASE_URL", "ALERT_URLS", "BLING_CLIENT_ID"])
def test_a_variable_in_another_encoding_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, os.fsdecode("segredo-ção".encode("latin-1")))
    with pytest.raises(ConfigurationError, match=f"{name}: tem letras que não estão em UTF-8") as caught:
        load_settings()
    assert "segredo" not in str(caught.value)


CONTENT = f'# a configuração\r\nBLING_CLIENT_ID={ID}\r\nexport BLING_CLIENT_SECRET="{SECRET}"  # o do aplicativo\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_file_with_or_without_a_mark(folder: Path, encoding: str) -> None:
    (folder / ".env").write_bytes(CONTENT.encode(encoding))
    assert credentials() == (ID, SECRET)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-32"])
@pytest.mark.parametrize("content", [CONTENT, f"BLING_CLIENT_ID={ID}\nBLING_CLIENT_SECRET={SECRET}\n"])
def test_a_file_in_another_encoding_is_named(folder: Path, encoding: str, content: str) -> None:
    (folder / ".env").write_bytes(content.encode(encoding))
    if content.isascii() and encoding == "latin-1":
        assert credentials() == (ID, SECRET)
        return
    with pytest.raises(ConfigurationError, match=r"\.env não está em UTF-8.*salve-o"):
        load_settings()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="o root lê tudo")
def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / ".env").write_text("BLING_CLIENT_ID=x")
    (folder / ".env").chmod(0)
    with pytest.raises(ConfigurationError, match=r"\.env não pôde ser lido.*permissão de leitura"):
        load_settings()


def test_a_loop_of_links_is_named_and_a_folder_is_not_a_file(folder: Path) -> None:
    (folder / ".env").symlink_to(folder / ".env")
    with pytest.raises(ConfigurationError, match=r"\.env não pôde ser lido"):
        load_settings()
    (folder / ".env").unlink()
    (folder / ".env").mkdir()
    assert load_settings().bling_client_id is None


def test_only_an_empty_agenda_says_something(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().schedule.startswith("0 6 * * * run;")
    monkeypatch.setenv("SCHEDULE", "")
    monkeypatch.setenv("RECURSOS", "")
    assert (load_settings().schedule, load_settings().recursos) == ("", None)


def test_a_company_has_its_own_variables_over_the_common_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLING_CLIENT_ID", ID)
    monkeypatch.setenv("BLING_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("BLING_CLIENT_SECRET__FILIAL_SUL", "so-da-filial-sul")
    monkeypatch.setenv("SCHEDULE__FILIAL_SUL", "")
    monkeypatch.setenv("EXTRACTION_LOOKBACK_DAYS__NORTE", "7")
    monkeypatch.setenv("EMPRESA", "filial_sul")
    found = load_settings()
    assert (found.empresa, found.company, found.schedule) == ("filial_sul", "filial_sul", "")
    assert (found.bling_client_id, found.credentials[1].get_secret_value()) == (ID, "so-da-filial-sul")
    principal = load_settings("principal")
    assert (principal.empresa, principal.company) == (None, "principal")
    assert principal.credentials[1].get_secret_value() == SECRET
    assert principal.of("norte").extraction_lookback_days == 7
    assert principal.of("filial_sul").credentials[1].get_secret_value() == "so-da-filial-sul"
    assert principal.of("leste").credentials[1].get_secret_value() == SECRET
    assert "so-da-filial-sul" in principal.secrets, "o log de uma esconde também os segredos das outras"


def test_what_a_company_exports_is_never_in_the_folder_of_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORT_TO", "gs://balde/bling/")
    monkeypatch.setenv("EXPORT_TO__NORTE", "gs://do-norte")
    principal = load_settings()
    assert principal.export_place == "gs://balde/bling/"
    assert principal.of("contatos").export_place == "gs://balde/bling/empresa_contatos"
    assert principal.of("norte").export_place == "gs://do-norte"
    monkeypatch.setenv("EXPORT_TO", "gs://balde/bling/?retry_limit_seconds=5")
    assert load_settings("sul").export_place == "gs://balde/bling/empresa_sul?retry_limit_seconds=5"
    monkeypatch.setenv("EXPORT_TO", "/dados/e agora?")
    assert load_settings("sul").export_place == "/dados/e agora?/empresa_sul"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EMPRESA", "Filial", "só letras minúsculas"),
        ("EMPRESA", "filial-sul", "só letras minúsculas"),
        ("EMPRESA", "'; DROP SCHEMA public; --", "só letras minúsculas"),
        ("EMPRESA", "<b>x</b>", "só letras minúsculas"),
        ("EMPRESA", "x" * 41, "até 40"),
        ("EMPRESA", "1a", "começa por uma letra"),
        ("EMPRESA", "são", "sem acento"),
        ("EMPRESA", "todas", "reservado"),
        ("EMPRESA", "pg_catalog", "reservado"),
        ("DATABASE_URL__FILIAL", "postgresql://x/y", "é de todas as empresas"),
        ("API_TOKEN__FILIAL", "um-token-de-dezesseis", "é de todas as empresas"),
        ("EMPRESA__FILIAL", "outra", "é de todas as empresas"),
        ("BLING_CLIENT_ID__", "x1", "só letras minúsculas"),
        ("BLING_CLIENT_ID__PRINCIPAL", "x1", "a principal é a que não tem nome"),
        ("BLING_CLIENT_ID__FILIAL-SUL", "x1", "só letras minúsculas"),
        ("EXTRACTION_LOOKBACK_DAYS__FILIAL", "muitos", "EXTRACTION_LOOKBACK_DAYS__FILIAL: precisa ser um número"),
    ],
)
def test_what_is_no_company_and_what_is_of_no_company_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        load_settings()
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("around", "seconds"),
    [
        ({}, 0),
        ({"K_SERVICE": "coletor"}, 3300),
        ({"CLOUD_RUN_JOB": "carga"}, 3300),
        ({"K_SERVICE": "coletor", "RUN_MAX_SECONDS": ""}, 3300),
        ({"K_SERVICE": "coletor", "RUN_MAX_SECONDS": "0"}, 0),
        ({"CLOUD_RUN_JOB": "carga", "RUN_MAX_SECONDS": "86000"}, 86000),
        ({"RUN_MAX_SECONDS": "60"}, 60),
    ],
)
def test_in_cloud_run_a_run_ends_before_the_platform_cuts_it(
    monkeypatch: pytest.MonkeyPatch, around: dict[str, str], seconds: int
) -> None:
    for name in ("K_SERVICE", "CLOUD_RUN_JOB", "RUN_MAX_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    assert load_settings().run_max_seconds == seconds


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RECURSOS", ",", "diga ao menos um nome"),
        ("BLING_API_BASE_URL", "https://api.bling.com.br/Api/v3?x=1", "precisa ser um endereço"),
        ("BLING_API_BASE_URL", "https://api.bling.com.br/Api/v3#x", "precisa ser um endereço"),
        ("FORWARDED_ALLOW_IPS", "127.0.0.1,nao-e-ip", "«nao-e-ip» não é um endereço IP"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/99", "«10.0.0.0/99» não é um endereço IP"),
    ],
)
def test_what_does_not_serve_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name}: .*{said}"):
        load_settings()


@pytest.mark.parametrize("value", ["*", "127.0.0.1, ::1", "10.0.0.0/8,192.168.0.1", "fe80::/10"])
def test_the_proxies_one_trusts(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", value)
    assert load_settings().forwarded_allow_ips == value
