"""O que se escreve numa saída de outra codificação, fechada ou cheia: nunca um erro."""

import errno
import io
import os
from pathlib import Path

import pytest

from bling_collector.cli.screen.streams import _HANDLER, Output, alike, prepare

prepare()  # registra o tratador; as saídas do pytest ficam como estão


def written(text: str, encoding: str) -> str:
    raw = io.BytesIO()
    output = Output(raw, encoding, _HANDLER)
    output.write(text)
    output.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "text", "seen"),
    [
        ("cp1252", "✔ Cópia — 3 × «João» ─ fim…", "+ Cópia — 3 × «João» - fim…"),
        ("cp1252", "Łukasz Šimůnek 李", "?ukasz Šimunek ?"),
        ("cp850", "✘ R$\u00a01,00 → «ação»", "x R$\u00a01,00 -> «ação»"),
        ("ascii", "✔ João — «ação» → ½", '+ Joao - "acao" -> ?'),
        ("utf-8", "✔ 李 \udce7", "✔ 李 ?"),
        ("utf-16", "✔ 李", "✔ 李"),
    ],
)
def test_what_the_encoding_lacks_becomes_something_alike(encoding: str, text: str, seen: str) -> None:
    assert written(text, encoding) == seen


def test_only_writing_has_something_alike() -> None:
    with pytest.raises(UnicodeDecodeError):
        alike(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "byte"))


def test_nobody_reads() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with Output(os.fdopen(writing, "wb"), "utf-8", _HANDLER) as output:
        for _ in range(3):
            output.write("linha\n")
            output.flush()
        assert output.failure is None, "quem lia se foi porque quis"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="só onde há um disco sempre cheio")
def test_a_full_disk_is_remembered() -> None:
    with Output(Path("/dev/full").open("wb"), "utf-8", _HANDLER) as output:
        output.write("linha\n")
        output.flush()
        assert output.failure is not None
        assert output.failure.errno == errno.ENOSPC
        output.write("outra")
