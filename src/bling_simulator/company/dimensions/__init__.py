"""Os cadastros pequenos a que as notas, os pedidos e os produtos se referem."""
