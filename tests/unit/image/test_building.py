"""O que `make image-check` diz quando não pode."""

import os
import sys
from pathlib import Path

import pytest
from tests.image.building import ROOT, CannotCheckError, base_of, buildah, find_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="só no Linux se constrói a imagem sem Docker")


def test_without_root_one_sentence_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotCheckError, match=r"^[^\n]*«sudo make image-check»\.$"), buildah():
        pass


def test_without_buildah_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotCheckError, match=r"^[^\n]*«apt-get install buildah»\.$"), buildah():
        pass


def test_without_the_python_of_the_base_one_sentence_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BASE_PYTHON", str(tmp_path / "python3.12"))
    with pytest.raises(CannotCheckError, match=r"^[^\n]*BASE_PYTHON=/caminho/python3\.12»\.$"):
        find_python("3.12")


def test_the_base_is_the_one_the_dockerfile_names() -> None:
    assert base_of((ROOT / "Dockerfile").read_text("utf-8")) == "python:3.12-slim-bookworm"
    with pytest.raises(CannotCheckError, match=r"debian:12, python:3\.12"):
        base_of("FROM python:3.12 AS um\nFROM um\nFROM debian:12\n")
