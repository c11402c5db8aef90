"""As tabelas, para quem as cria por este nome: o mesmo que `bling-collector db init`."""

import sys

from bling_collector.cli import main

if __name__ == "__main__":
    main(["db", "init", *sys.argv[1:]])
