"""Uma execução, do pedido ao fim verdadeiro; e o que se lê sem ser uma: a olhada, um registro, os avisos."""
