"""A primeira autorização, para quem a conhece por este nome: o mesmo que `bling-collector auth`."""

import sys

from bling_collector.cli import main

if __name__ == "__main__":
    main(["auth", *sys.argv[1:]])
