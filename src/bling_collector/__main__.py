"""`python -m bling_collector`."""

from bling_collector.cli import main

if __name__ == "__main__":
    main()
