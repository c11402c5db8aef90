"""O que se fabrica."""
