"""O que se pede ao sistema de arquivos, seja de quem for a pasta: um trinco, e que um nome não se perca."""
