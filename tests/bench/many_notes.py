"""Uma empresa de muitas notas, feita por SQL no banco: para medir a busca e o painel com cem mil notas, ou um milhão.

As datas vão de 2021 a fevereiro de 2026 e crescem com os anos; há clientes de uma compra e de milhares, produtos que
deixaram de ser vendidos em 2022, canceladas, excluídas, notas sem data, sem número e sem cliente. Cada nota traz o seu
JSON, como as coletadas.
"""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bling_collector.db.resources import nota_search

_WORDS = """
    CREATE TEMP TABLE palavras ON COMMIT DROP AS SELECT
    '{Maria,José,Antônio,Ana,João,Francisca,Luís,Júlia,Márcio,Letícia,Sebastião,Conceição,Ígor,Cássia,Nélson,Eloá}'
        ::text[] AS nomes,
    '{Silva,Souza,Araújo,Conceição,Gonçalves,Müller,Brandão,Magalhães,Peçanha,Nóbrega,Falcão,Zanetti,Okamoto,Xavier}'
        ::text[] AS sobrenomes,
    '{Metalúrgica,Comércio,Indústria,Usinagem,Transportes,Agrícola,Construções,Oficina,Ferragens,Distribuidora}'
        ::text[] AS ramos,
    '{Engrenagem,Coroa,Pinhão,Eixo,Bucha,Rolamento,Mancal,Polia,Correia,Cremalheira,Flange,Chaveta,Parafuso}'
        ::text[] AS pecas,
    '{"de aço","de bronze","em náilon","helicoidal","reta","cônica","temperada","com furo","sob medida"}'
        ::text[] AS tipos"""
_CUSTOMERS = """
    CREATE TEMP TABLE clientes ON COMMIT DROP AS
    SELECT c AS id,
           CASE WHEN c % 3 = 0
                THEN concat_ws(' ', ramos[1 + c % 10], sobrenomes[1 + c / 7 % 14], c, 'Ltda')
                ELSE concat_ws(' ', nomes[1 + c % 16], sobrenomes[1 + c / 3 % 14], sobrenomes[1 + c / 11 % 14], c) END
               AS nome,
           CASE WHEN c % 3 = 0 THEN lpad((10000000 + c / 2)::text, 8, '0') || lpad((c % 2 + 1)::text, 4, '0') || '00'
                ELSE lpad(c::text, 11, '0') END AS documento,
           (ARRAY['RS', 'SC', 'PR', 'SP', 'MG', 'BA', 'AM'])[1 + c % 7] AS uf
    FROM generate_series(1, :clientes) AS c, palavras"""
_PRODUCTS = """
    CREATE TEMP TABLE artigos ON COMMIT DROP AS
    SELECT p AS id, concat(upper(left(pecas[1 + p % 13], 3)), '-', lpad(p::text, 5, '0')) AS codigo,
           concat_ws(' ', pecas[1 + p % 13], tipos[1 + p / 13 % 9], 'Z' || p % 97, (p % 400) || 'mm') AS descricao
    FROM generate_series(1, :produtos) AS p, palavras"""
_LINES = """
    CREATE TEMP TABLE linhas ON COMMIT DROP AS
    SELECT n.id AS nfe_id, l AS ordem, a.codigo, a.descricao, 1 + (n.id + l) % 5 AS quantidade,
           10 + (n.id * 7 + l) % 90000 / 100.0 AS valor
    FROM generate_series(1, :notas) AS n (id)
    CROSS JOIN LATERAL generate_series(1, 1 + (n.id % 5)::int) AS l
    -- Os produtos mais novos vendem mais; um em cada sete deixou de ser vendido no primeiro terço da história.
    JOIN artigos a ON a.id = CASE WHEN l = 1 AND n.id % 40 = 0 AND n.id < :notas / 3 THEN 7
                                  ELSE 1 + (abs(hashint8(n.id * 11 + l)) % :produtos) END"""
_NOTES = """
    INSERT INTO nfe_cabecalho (id, numero, data_emissao, situacao, contato_id, contato_nome, contato_documento,
        contato_municipio, contato_uf, total_produtos, total_nota, extraido_em, tipo, serie, chave_acesso, valor_frete,
        link_danfe, detalhe, excluida_em, finalidade, cfop, cfops)
    SELECT 10000000000 + n, CASE WHEN n % 5003 <> 0 THEN lpad(n::text, 6, '0') END,
           CASE WHEN n % 10007 <> 0 THEN timestamp '2021-01-04 08:00' + make_interval(
               secs => floor(sqrt(n::float8 / :notas) * 1870) * 86400 + (n % 97) * 300) END,
           (ARRAY[6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 5, 2, 9])[1 + n * 7 % 20],
           c.id, c.nome, c.documento, 'Bento Gonçalves', c.uf, total, total, now(), 1, 1,
           CASE WHEN n % 20 <> 3 THEN concat('43', lpad(n::text, 42, '0')) END, 0,
           'https://www.bling.com.br/doc.view.php?id=' || n,
           jsonb_build_object('id', 10000000000 + n, 'tipo', 1, 'numero', lpad(n::text, 6, '0'), 'itens', itens,
               'contato', jsonb_build_object('id', c.id, 'nome', c.nome, 'numeroDocumento', c.documento,
                   'endereco', jsonb_build_object('endereco', 'Rua das Fresas', 'numero', n % 900, 'bairro', 'Centro',
                       'cep', '95702000', 'municipio', 'Bento Gonçalves', 'uf', c.uf)),
               'parcelas', jsonb_build_array(jsonb_build_object('data', '2025-03-05', 'valor', total))),
           CASE WHEN n % 3001 = 0 THEN now() END, CASE WHEN n % 97 = 0 THEN 4 ELSE 1 END,
           CASE WHEN n % 10 = 0 THEN 'vários' WHEN n % 50 = 1 THEN '6949' ELSE '6102' END,
           CASE WHEN n % 10 = 0 THEN jsonb_build_array(
               jsonb_build_object('cfop', '6101', 'valor', round(total * 0.7, 2)),
               jsonb_build_object('cfop', '6949', 'valor', total - round(total * 0.7, 2))) END
    FROM generate_series(1, :notas) AS n
    JOIN (SELECT nfe_id, sum(quantidade * valor) AS total,
                 jsonb_agg(jsonb_build_object('codigo', codigo, 'descricao', descricao, 'quantidade', quantidade,
                     'valor', valor, 'valorTotal', quantidade * valor, 'unidade', 'UN', 'cfop', '6102',
                     'classificacaoFiscal', '8483.40.10', 'impostos', jsonb_build_object('valorAproximadoTotalTributos',
                         0, 'icms', jsonb_build_object('aliquota', 12, 'valor', 1.2, 'origem', 0))) ORDER BY ordem)
                     AS itens
          FROM linhas GROUP BY nfe_id) AS i ON i.nfe_id = n
    -- Um cliente compra uma nota em cada doze; os outros, muito ou quase nada.
    LEFT JOIN clientes c ON c.id = CASE WHEN n % 12 = 0 THEN 3 WHEN n % 2011 = 1 THEN NULL
        ELSE 1 + floor(power(abs(hashint8(n)) / 2147483648.0, 2) * (:clientes - 1))::int END"""
_ITEMS = """
    INSERT INTO nfe_itens (nfe_id, codigo_produto, descricao_produto, quantidade, valor_unitario, valor_total,
        unidade_medida, ordem, cfop)
    SELECT 10000000000 + nfe_id, codigo, min(descricao), sum(quantidade), min(valor), sum(quantidade * valor), 'UN',
           min(ordem), CASE WHEN nfe_id % 10 = 0 AND min(ordem) > 1 THEN '6949' ELSE '6102' END
    FROM linhas GROUP BY nfe_id, codigo"""
_PAYMENTS = """
    INSERT INTO nfe_pagamentos (nfe_id, tipo_pagamento, valor, numero_parcela)
    SELECT id, (ARRAY[1, 3, 15, 17])[1 + id % 4], total_nota, 1 FROM nfe_cabecalho"""
_CONTACTS = """
    INSERT INTO contatos (id, nome, documento, uf, tipo_pessoa, extraido_em)
    SELECT id, nome, documento, uf, CASE WHEN length(documento) = 14 THEN 'J' ELSE 'F' END, now() FROM clientes"""
_BATCH: Final = 20_000


async def fill(engine: AsyncEngine, notas: int) -> None:
    """Enche um banco vazio com `notas` notas de cerca de três linhas, e o que se busca delas."""
    sizes = {"notas": notas, "clientes": max(notas // 16, 20), "produtos": max(notas // 50, 40)}
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in (_WORDS, _CUSTOMERS, _PRODUCTS, _LINES):
            await _execute(connection, statement, sizes)
        await connection.execute(text("ANALYZE linhas"))
        for statement in (_NOTES, _ITEMS, _PAYMENTS, _CONTACTS):
            await _execute(connection, statement, sizes)
    first = 10_000_000_000
    for start in range(1, notas + 1, _BATCH):
        async with engine.begin() as connection:
            ids = range(first + start, first + min(start + _BATCH, notas + 1))
            await nota_search.refresh(connection, ids)
    async with engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("SET statement_timeout = 0"))
        for table in ("nfe_cabecalho", "nfe_itens", "nfe_pagamentos", "contatos", "nfe_busca"):
            await autocommit.execute(text(f"VACUUM ANALYZE {table}"))


async def _execute(connection: AsyncConnection, statement: str, sizes: dict[str, int]) -> None:
    named = {name: value for name, value in sizes.items() if f":{name}" in statement}
    for name, value in named.items():  # um CREATE TABLE AS não aceita parâmetros
        statement = statement.replace(f":{name}", str(value))
    await connection.exec_driver_sql(statement.replace("%", "%%"))
