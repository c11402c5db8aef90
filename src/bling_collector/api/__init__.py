"""O fio até o Bling: ritmo, repetição, páginas, e o que cada resposta quer dizer."""
