"""As expressões regulares leem-se do mesmo jeito em todo Python que se suporta."""

import re
from pathlib import Path

import bling_collector

_POSSESSIVE = re.compile(r"""r["'].*(?:[\])}\w][*+?]\+|\(\?>)""")


def test_no_pattern_uses_what_the_first_3_11_reads_wrong() -> None:
    """Os quantificadores possessivos e os grupos atômicos, até ao 3.11.4 (o do Debian 12), deixam passar o que casa."""
    assert _POSSESSIVE.search('re.compile(r"[a-z-]++x")')
    assert _POSSESSIVE.search('re.compile(r"(?:a|b)*+x")')
    folder = Path(bling_collector.__file__).parent
    found = [
        f"{path.relative_to(folder)}:{number}"
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if _POSSESSIVE.search(line)
    ]
    assert found == []
