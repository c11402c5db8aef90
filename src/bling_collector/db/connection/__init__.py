"""A conexão com o PostgreSQL: o endereço, o motor, a sessão, e a paciência com um banco que reinicia."""
