"""Os recursos da API: um módulo por recurso, com sua listagem e seu detalhe."""
