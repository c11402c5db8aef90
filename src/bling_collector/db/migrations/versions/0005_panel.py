"""O painel: a busca de notas e os índices de quem soma e conta."""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COMMENTS = {
    "etl_controle.parar": "alguém pediu que ela pare",
    "execucao_log.nivel": "info, aviso ou erro",
    "nfe_busca.data_emissao": "a da nota; 0001-01-01 se ela não tem",
    "nfe_busca.situacao": "a da nota; 0 excluída no Bling, -1 sem situação",
    "nfe_busca.numero": "sem os zeros à esquerda",
    "nfe_busca.documento": "só letras e algarismos",
    "nfe_busca.chave": "só letras e algarismos",
    "nfe_busca.cliente": "as palavras do nome, sem acento e em minúsculas",
    "nfe_busca.produtos": "as palavras dos códigos e das descrições dos itens",
}


def upgrade() -> None:
    _add_search()  # o mais demorado primeiro: enquanto ele enche a tabela nova, nenhuma das outras está trancada
    _add_reading_indexes()
    _add_runs()
    for column, comment in _COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")


def _add_runs() -> None:
    op.execute("ALTER TABLE etl_controle ADD COLUMN parar boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE execucao_log (
            id bigserial PRIMARY KEY, run_id integer NOT NULL, quando timestamptz NOT NULL, nivel text NOT NULL,
            mensagem text NOT NULL)""")
    op.execute("CREATE INDEX ix_execucao_log_run_id ON execucao_log (run_id)")


def _add_search() -> None:
    """Uma tabela à parte, e nenhum índice novo nas que já existem: quem as lê e as escreve não espera por isto."""
    op.execute("""
        CREATE TABLE nfe_busca (
            nfe_id bigint PRIMARY KEY, data_emissao timestamp NOT NULL, situacao integer NOT NULL,
            numero text, documento text, chave text, cliente tsvector NOT NULL, produtos tsvector NOT NULL)""")
    _fill_search()
    # Os índices de uma tabela cheia saem mais depressa que uma tabela que se enche com eles.
    op.execute("CREATE INDEX ix_nfe_busca_data_emissao ON nfe_busca (data_emissao, nfe_id)")
    op.execute("CREATE INDEX ix_nfe_busca_situacao ON nfe_busca (situacao, data_emissao, nfe_id)")
    op.execute("CREATE INDEX ix_nfe_busca_numero ON nfe_busca (numero, data_emissao, nfe_id)")
    op.execute("CREATE INDEX ix_nfe_busca_chave ON nfe_busca (chave)")
    op.execute("CREATE INDEX ix_nfe_busca_documento ON nfe_busca (documento text_pattern_ops, data_emissao, nfe_id)")
    op.execute("CREATE INDEX ix_nfe_busca_palavras ON nfe_busca USING gin (cliente, produtos)")
    op.execute("""
        ALTER TABLE nfe_busca ADD CONSTRAINT nfe_busca_nfe_id_fkey
            FOREIGN KEY (nfe_id) REFERENCES nfe_cabecalho (id) ON DELETE CASCADE""")
    op.execute("ANALYZE nfe_busca")


def _fill_search() -> None:
    words = """
        array_to_tsvector(ARRAY(
            SELECT DISTINCT left(palavra, 40)
            FROM unnest(string_to_array(lower(regexp_replace(regexp_replace(
                     translate({texto}, :de, :para), :soltos, '', 'g'), :entre, ' ', 'g')), ' ')) AS palavra
            WHERE palavra <> '' LIMIT 5000))"""
    cliente, produtos = words.format(texto="left(n.contato_nome, 1000)"), words.format(texto="i.textos")
    op.get_bind().execute(
        text(f"""
            INSERT INTO nfe_busca (nfe_id, data_emissao, situacao, numero, documento, chave, cliente, produtos)
            SELECT n.id, coalesce(n.data_emissao, '0001-01-01'),
                   CASE WHEN n.excluida_em IS NOT NULL THEN 0 ELSE coalesce(n.situacao, -1) END,
                   coalesce(nullif(left(ltrim(n.numero, '0'), 50), ''), left(n.numero, 1)),
                   upper(left(regexp_replace(n.contato_documento, '[^0-9A-Za-z]', '', 'g'), 50)),
                   upper(left(regexp_replace(n.chave_acesso, '[^0-9A-Za-z]', '', 'g'), 50)),
                   {cliente}, {produtos}
            FROM nfe_cabecalho n
            LEFT JOIN (
                SELECT nfe_id, string_agg(
                           concat_ws(' ', left(codigo_produto, 100), translate(left(codigo_produto, 100), '-./_ ', ''),
                                     left(descricao_produto, 1000)), ' ') AS textos
                FROM nfe_itens GROUP BY nfe_id) AS i ON i.nfe_id = n.id"""),
        {
            "de": "ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿªº",
            "para": "aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyyao",
            "soltos": "[\u0300-\u036f]",
            "entre": "[\x01-/:-@[-`{-\x7f\u00a0\u2007\u202f–—‘’“”´¨·•°…]+",
        },
    )


def _add_reading_indexes() -> None:
    """Com as colunas que as somas e as contagens leem: as notas, largas por causa do JSON, nem são abertas."""
    op.execute("""
        CREATE INDEX ix_nfe_cabecalho_faturamento ON nfe_cabecalho (data_emissao)
            INCLUDE (id, tipo, situacao, total_nota, contato_id, contato_uf) WHERE excluida_em IS NULL""")
    # Quase vazio: as notas do primeiro coletor que ainda não se releram, por que começa a história.
    op.execute("""
        CREATE INDEX ix_nfe_cabecalho_sem_detalhe ON nfe_cabecalho (data_emissao)
            WHERE detalhe IS NULL AND excluida_em IS NULL""")
    # Com as expressões de db/resources/numbering.py; as colunas também, senão a tabela seria aberta por causa delas.
    op.execute("""
        CREATE INDEX ix_nfe_cabecalho_numeracao ON nfe_cabecalho (coalesce(serie, 0), (numero::bigint), id)
            INCLUDE (serie, numero, data_emissao, situacao, excluida_em)
            WHERE numero ~ '^[0-9]{1,18}$' AND coalesce(tipo, 1) = 1""")
