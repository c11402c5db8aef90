"""O que o painel mostra, em linhas e colunas: as tabelas, os gráficos e os arquivos que se baixam."""
