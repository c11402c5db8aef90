"""O motor, que não conhece recurso nenhum: listar, comparar, buscar, gravar, quitar."""
