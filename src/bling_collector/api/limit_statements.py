"""Os comandos de `limites_bling`. Cada um tranca a linha, calcula com a hora de depois da tranca e a grava.

`espera` é em segundos. Um tempo guardado que esteja longe demais no futuro é de um relógio que andou para trás, e não
conta. O COMMIT não espera pelo disco: se o servidor cair, perde-se a conta do último instante, e não a pressa.
"""

from typing import Final

from sqlalchemy import text

from bling_collector.api import pace

_HORIZON: Final = "interval '1 hour'"
_LOCKED: Final = """
    WITH antes AS (SELECT * FROM limites_bling WHERE id = 1 FOR UPDATE),
    agora AS (
        SELECT antes.*, coalesce(CAST(:now AS timestamptz), clock_timestamp()) AS t,
               set_config('synchronous_commit', 'off', true) AS sem_esperar_o_disco
        FROM antes),
    hoje AS (SELECT agora.*, CAST(t AT TIME ZONE 'America/Sao_Paulo' AS date) AS hoje FROM agora),"""

RESERVE: Final = text(f"""{_LOCKED}
    -- O dia não volta atrás, a não ser que o guardado seja absurdo.
    dia_certo AS (
        SELECT hoje.*, CASE WHEN dia BETWEEN hoje AND hoje + 1 THEN dia ELSE hoje END AS o_dia FROM hoje),
    contado AS (
        SELECT dia_certo.*,
               CASE WHEN dia = o_dia THEN greatest(usadas - CAST(:unused AS integer), 0) ELSE 0 END AS feitas,
               CAST(:per_day AS integer) - CAST(:kept AS integer) AS cota,
               CASE WHEN pausada_ate < t + {_HORIZON} THEN pausada_ate ELSE NULL END AS pausa,
               ARRAY(SELECT i FROM unnest(inicios) i WHERE i < t + {_HORIZON} ORDER BY i) AS ultimos
        FROM dia_certo),
    julgado AS (
        SELECT contado.*,
               CASE WHEN :wanted = 0 THEN NULL
                    WHEN esgotada_em = o_dia THEN 'esgotada'
                    WHEN feitas >= cota THEN 'reserva'
                    WHEN pausa > t THEN 'pausa'
                    WHEN sonda_ate > t AND sonda_ate < t + {_HORIZON} THEN 'prova'
               END AS recusa
        FROM contado),
    dado AS (
        SELECT julgado.*,
               recusa IS NULL AND pausa IS NOT NULL AND :wanted > 0 AS sozinha,
               CASE WHEN recusa IS NOT NULL THEN 0
                    WHEN pausa IS NOT NULL THEN least(:wanted, 1)
                    ELSE least(:wanted, cota - feitas) END AS dadas,
               CASE WHEN recusa IS NOT NULL THEN greatest(pausa, sonda_ate)
                    ELSE greatest(
                        t,
                        CASE WHEN segurado_ate < t + {_HORIZON} THEN segurado_ate END,
                        CASE WHEN :spacing > 0
                             THEN ultimos[cardinality(ultimos)] + :spacing / ritmo * interval '1 s' END,
                        CASE WHEN :spacing > 0
                             THEN ultimos[cardinality(ultimos) - :limit + 1]
                                  + ({pace.PERIOD} + greatest(margem, :margin)) / ritmo * interval '1 s' END)
               END AS comeco
        FROM julgado)
    UPDATE limites_bling l
    SET dia = d.o_dia, usadas = d.feitas + d.dadas, limite = :per_day, reserva = :kept,
        inicios = CASE WHEN d.recusa IS NULL AND :spacing > 0
                       THEN (d.ultimos || d.comeco)[greatest(cardinality(d.ultimos) + 2 - :limit, 1):]
                       ELSE d.ultimos END,
        sonda_ate = CASE WHEN d.sozinha THEN d.t + {pace.PROBE} * interval '1 s' ELSE l.sonda_ate END
    FROM dado d
    WHERE l.id = d.id
    RETURNING d.recusa, d.sozinha, d.dadas, CAST(extract(epoch FROM d.comeco - d.t) AS double precision) AS espera,
              CAST(extract(epoch FROM d.t) AS double precision) AS agora,
              d.comeco AS pausada_ate, d.pausa_motivo, l.usadas, l.limite, l.reserva,
              (l.ritmo < 1 OR l.margem > :margin OR l.falhas > 0 OR d.pausa IS NOT NULL) AS recuperando""")

ANSWERED: Final = text(f"""{_LOCKED}
    contado AS (
        SELECT hoje.*,
               erros_desde IS NOT NULL AND erros_desde <= t
                   AND erros_desde > t - {pace.ERRORS_WINDOW} * interval '1 s' AS na_janela,
               CASE WHEN pausada_ate < t + {_HORIZON} THEN pausada_ate ELSE NULL END AS pausa
        FROM hoje),
    somado AS (
        -- Durante a pausa, o que falha já tinha saído antes dela: só a requisição de prova conta.
        SELECT contado.*,
               CASE WHEN NOT :failed THEN 0
                    WHEN pausa IS NOT NULL AND NOT :probe THEN falhas
                    ELSE falhas + :failures END AS seguidas
        FROM contado),
    julgado AS (
        SELECT somado.*,
               CASE WHEN na_janela THEN erros ELSE 0 END + :errors AS tantos,
               CASE WHEN pausa > t THEN NULL
                    WHEN :blocked AND (seguidas >= {pace.FAILURES_IN_A_ROW} OR :probe) THEN 'bloqueio'
                    WHEN seguidas >= {pace.FAILURES_IN_A_ROW} OR (:probe AND :failed) THEN 'falhas'
                    WHEN CASE WHEN na_janela THEN erros ELSE 0 END + :errors >= {pace.MOST_ERRORS} THEN 'erros'
               END AS motivo,
               pausa IS NOT NULL AND (pausa > t OR :failed) AS segue
        FROM somado),
    dado AS (
        SELECT julgado.*,
               CASE WHEN motivo = 'bloqueio' THEN {pace.BLOCK_PAUSE}
                    ELSE least({pace.FIRST_PAUSE} * 2 ^ least(pausas, 20), {pace.LONGEST_PAUSE}) END AS segundos
        FROM julgado)
    UPDATE limites_bling l
    SET falhas = CASE WHEN d.motivo IS NULL THEN d.seguidas ELSE 0 END,
        erros = CASE WHEN d.motivo IS NULL THEN d.tantos ELSE 0 END,
        erros_desde = CASE WHEN d.na_janela THEN d.erros_desde ELSE d.t END,
        pausada_ate = CASE WHEN d.motivo IS NOT NULL THEN d.t + d.segundos * interval '1 s'
                           WHEN d.segue THEN d.pausa END,
        pausas = CASE WHEN d.motivo IS NOT NULL THEN d.pausas + 1 WHEN d.segue THEN d.pausas ELSE 0 END,
        pausa_motivo = coalesce(d.motivo, CASE WHEN d.segue THEN d.pausa_motivo END),
        sonda_ate = CASE WHEN d.motivo IS NULL AND d.segue THEN d.sonda_ate END,
        ritmo = CASE WHEN :failed THEN d.ritmo
                     WHEN NOT :throttled THEN least(d.ritmo + {pace.RECOVERY}, 1)
                     -- Os 429 que chegam juntos são um tropeço só.
                     WHEN d.segurado_ate > d.t AND d.segurado_ate < d.t + {_HORIZON} THEN d.ritmo
                     ELSE greatest(d.ritmo / 2, {pace.SLOWEST}) END,
        margem = CASE WHEN :throttled THEN least(greatest(d.margem, :margin) + {pace.MARGIN_STEP},
                                                 greatest({pace.MARGIN_MAX}, :margin))
                      WHEN NOT :failed THEN greatest(d.margem - {pace.MARGIN_DECAY}, :margin)
                      ELSE d.margem END,
        segurado_ate = CASE WHEN :throttled THEN d.t + {pace.HOLD} * interval '1 s' ELSE d.segurado_ate END,
        esgotada_em = CASE WHEN :exhausted THEN CASE WHEN d.dia BETWEEN d.hoje AND d.hoje + 1 THEN d.dia ELSE d.hoje END
                           ELSE d.esgotada_em END
    FROM dado d
    WHERE l.id = d.id
    RETURNING d.motivo IS NOT NULL AS abriu, l.pausada_ate, l.pausa_motivo,
              CAST(extract(epoch FROM l.pausada_ate - d.t) AS double precision) AS espera,
              (l.ritmo < 1 OR l.margem > :margin OR l.falhas > 0 OR l.pausada_ate IS NOT NULL) AS recuperando""")

TOKEN_CALL: Final = text(f"""{_LOCKED}
    recentes AS (
        SELECT hoje.*, ARRAY(SELECT p FROM unnest(pedidos_de_token) p
                             WHERE p > t - {pace.TOKEN_WINDOW} * interval '1 s' AND p <= t ORDER BY p) AS ultimos
        FROM hoje)
    UPDATE limites_bling l
    SET pedidos_de_token = CASE WHEN cardinality(r.ultimos) < {pace.MOST_TOKEN_CALLS}
                                THEN r.ultimos || r.t ELSE r.ultimos END
    FROM recentes r
    WHERE l.id = r.id
    RETURNING cardinality(r.ultimos) < {pace.MOST_TOKEN_CALLS} AS dado,
              CAST(coalesce(extract(epoch FROM r.ultimos[1] + {pace.TOKEN_WINDOW} * interval '1 s' - r.t), 0)
                   AS double precision) AS espera""")

IP_LEASE: Final = text(f"""{_LOCKED}
    livre AS (
        SELECT hoje.*,
               greatest(t, CASE WHEN ip_livre_em < t + {_HORIZON} THEN ip_livre_em END) AS comeco,
               coalesce(CASE WHEN ip_erros_ate < t + {_HORIZON} THEN ip_erros_ate END, t)
                   - {pace.IP_WINDOW} * interval '1 s' AS perdoados_em
        FROM hoje)
    UPDATE limites_bling l
    SET ip_livre_em = v.comeco + :wanted * CAST(:each AS double precision) * interval '1 s'
    FROM livre v
    WHERE l.id = v.id
    RETURNING CAST(extract(epoch FROM greatest(v.comeco, v.perdoados_em) - v.t) AS double precision) AS espera""")
"""Toma, para um processo, `wanted` das requisições do IP, `each` segundos cada uma, e diz quanto esperar por elas."""

IP_ERROR: Final = text(f"""{_LOCKED}
    contados AS (
        SELECT hoje.*, greatest(t, CASE WHEN ip_erros_ate < t + {_HORIZON} THEN ip_erros_ate END) AS ate FROM hoje)
    UPDATE limites_bling l
    SET ip_erros_ate = c.ate + {pace.IP_WINDOW} / {pace.IP_ERRORS} * interval '1 s'
    FROM contados c
    WHERE l.id = c.id
    RETURNING l.id""")
"""Mais uma resposta de erro: a conta é uma hora, que cada erro adianta e que o tempo alcança."""

GIVE_BACK: Final = text("""
    UPDATE limites_bling
    SET usadas = greatest(usadas - CAST(:unused AS integer), 0)
    WHERE id = 1
    RETURNING id""")
