"""O processo: `bling-collector`, ou `python -m bling_collector`."""

import gc


def start() -> None:
    """Roda o comando que se digitou e termina o processo com o código dele."""
    # O que se carrega vive até o fim: procurar lixo ali, a cada punhado de objetos e outra vez na saída, custaria um
    # terço do começo e do fim de um comando (medido). Quem começa a trabalhar a liga, em `running.at_work`.
    gc.disable()
    from bling_collector.cli import main

    try:
        main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    start()
