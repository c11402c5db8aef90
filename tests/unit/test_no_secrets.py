"""Nenhum segredo no repositório: nem chave, nem token, nem senha de verdade num arquivo versionado."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHAPES = {
    "chave privada": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "conta de serviço do Google": re.compile(r'"private_key(?:_id)?"\s*:\s*"(?!\.{3}|…)'),
    "chave de API do Google": re.compile(r"\bAIza[\w-]{35}\b"),
    "chave da AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "token do GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,})"),
    "token do Slack": re.compile(r"\bxox[abposr]-[\w-]{10,}"),
    "token do Telegram": re.compile(r"\b\d{8,10}:AA[\w-]{33}\b"),
    "JWT assinado": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "token opaco do Bling": re.compile(r"(?<![\w:/-])(?=[0-9]*[a-f])[0-9a-f]{40}(?![\w-])"),
    "chave do Fernet": re.compile(r"(?<![\w/+-])[\w-]{43}=(?![\w=])"),
    "senha num endereço": re.compile(r"\b(?:postgres(?:ql)?(?:\+\w+)?|https?)://[\w.%-]+:([^\s@/'\"`<{$]{6,})@[\w.-]+"),
}
EXAMPLES = re.compile(
    r"0123456789abcdef|(?:0123456789){4}|([0-9a-f])\1{9}|(?:ab){10}|senha|secret|segred|password|postgres:postgres|"
    r"eyJhbGciOiJIUzI1NiJ9\.eyJzdWIiOiIxMjM0In0",
    re.IGNORECASE,
)
"""O que os testes e a documentação usam de propósito, e que se vê que não vale nada."""
_PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40}|--hash=sha256:[0-9a-f]+")
"""Uma versão de ação fixada pelo commit, e a impressão de um pacote."""


def test_no_secret_is_versioned() -> None:
    found = [
        f"{path}:{number}: {name}"
        for path in _versioned()
        for number, line in enumerate(_lines(ROOT / path), start=1)
        for name in _secrets_in(line)
    ]
    assert found == []


def test_the_env_file_is_not_versioned() -> None:
    assert not [path for path in _versioned() if Path(path).name == ".env"]
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("chave privada", "-----BEGIN RSA " + "PRIVATE KEY-----"),
        ("conta de serviço do Google", '"private' + '_key": "-----"'),
        ("chave da AWS", "AKIA" + "QWERTYUIOPASDFGH"),
        ("token do GitHub", "ghp" + "_" + "aB3" * 12),
        ("JWT assinado", "eyJ" + "hbGciOiJSUzI1" + ".eyJ" + "zdWIiOiI0MjQy" + "." + "c2lnbmF0dXJhLWRlLXZlcmRhZGU"),
        ("token opaco do Bling", 'x = "' + "8f3c09d17ab24e65" + "90d8f1b7c3e2a4f60a1b2c3d" + '"'),
        ("chave do Fernet", "TOKEN_ENCRYPTION_KEY=" + "kT9vQ2xW7zL4mN8pR1sY6uB3cD5fG0hJ-" + "aE_iKoMqXw="),
        ("senha num endereço", "DATABASE_URL=postgresql://coletor:" + "Xk29vLq8@10.0.0.3/bling"),
    ],
)
def test_what_would_be_found(name: str, line: str) -> None:
    assert name in _secrets_in(line)


def _secrets_in(line: str) -> list[str]:
    cleaned = _PINNED.sub("", line)
    return [
        name
        for name, shape in SHAPES.items()
        if any(not EXAMPLES.search(match.group(0)) for match in shape.finditer(cleaned))
    ]


def _versioned() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("não é um clone do git")
    return [path for path in listed.stdout.decode().split("\0") if path and (ROOT / path).is_file()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []  # um binário
