"""Os dados de uma pessoa: exportá-los e apagá-los, a pedido dela."""
