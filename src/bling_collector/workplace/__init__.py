"""A raiz da composição: monta as peças de uma empresa e, quando são várias, de todas."""
