"""As empresas de um banco: um schema para cada uma, as views que as juntam e o token que só abre uma."""
