"""O que as notas e os pedidos citam."""
