"""`python -m bling_simulator`: o simulador à frente, para usar com qualquer cliente."""

import argparse
import sys
from collections.abc import Sequence

from bling_simulator.gate import PREFIX
from bling_simulator.server import serve
from bling_simulator.settings import SimulatorSettings


def parse_settings(arguments: Sequence[str] | None = None) -> tuple[str, int, SimulatorSettings]:
    """(endereço, porta, configurações) da linha de comando."""
    defaults = SimulatorSettings()
    parser = argparse.ArgumentParser(
        prog="python -m bling_simulator",
        description="Um Bling simulado. A API responde em /Api/v3; o controle, em /_control (ver /_control/docs).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="endereço em que atende")
    parser.add_argument("--port", type=int, default=8099, help="porta em que atende")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="semente da empresa gerada")
    parser.add_argument("--scale", type=float, default=defaults.scale, help="fração dos volumes (1 = 2.926 notas)")
    parser.add_argument(
        "--requests-per-second",
        type=int,
        default=defaults.requests_per_second,
        help="limite por segundo; 0 desliga",
    )
    parser.add_argument(
        "--requests-per-day", type=int, default=defaults.requests_per_day, help="limite por dia; 0 desliga"
    )
    parser.add_argument("--latency", type=float, default=0.0, help="segundos de demora por resposta")
    parser.add_argument("--latency-jitter", type=float, default=0.0, help="demora extra, sorteada até este valor")
    parser.add_argument("--client-id", default=defaults.client_id, help="client_id do aplicativo")
    parser.add_argument("--client-secret", default=defaults.client_secret, help="client_secret do aplicativo")
    parser.add_argument("--redirect-uri", default=defaults.redirect_uri, help="endereço de volta registrado")
    options = vars(parser.parse_args(arguments))
    return options.pop("host"), options.pop("port"), SimulatorSettings(**options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Diz em stderr onde e com que credenciais atende, e atende até ser interrompido."""
    host, port, settings = parse_settings(arguments)
    root = f"http://{host}:{port}"
    sys.stderr.write(
        f"API:           {root}{PREFIX}\n"
        f"Controle:      {root}/_control/docs\n"
        f"client_id:     {settings.client_id}\n"
        f"client_secret: {settings.client_secret}\n"
        f"redirect_uri:  {settings.redirect_uri}\n"
    )
    serve(host, port, settings)


if __name__ == "__main__":
    main()
