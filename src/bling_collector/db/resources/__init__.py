"""O SQL dos dados coletados, para quem os coleta, procura e apaga."""
