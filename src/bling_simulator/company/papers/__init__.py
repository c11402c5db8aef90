"""O que a empresa combina antes de haver nota: compras, propostas, contratos e ordens de produção."""
