"""A autorização do Bling: o par de tokens, a cifra, onde fica, como se renova."""
