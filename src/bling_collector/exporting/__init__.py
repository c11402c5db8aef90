"""A exportação: tabelas e views em arquivos, por mês, com um manifesto que diz quais valem."""
