"""A conta do Bling: de quem é, a autorização, a cota, o que ela avisa."""
