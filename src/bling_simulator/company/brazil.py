"""Nomes, ruas e municípios com que se inventam clientes. As pessoas e empresas não existem."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    municipio: str
    uf: str
    cep: str
    """Os cinco primeiros dígitos."""
    area_code: str


PLACES = (
    Place("Caxias do Sul", "RS", "95020", "54"),
    Place("Bento Gonçalves", "RS", "95702", "54"),
    Place("Novo Hamburgo", "RS", "93310", "51"),
    Place("Santa Bárbara d'Oeste", "SP", "13450", "19"),
    Place("São Bernardo do Campo", "SP", "09710", "11"),
    Place("Piracicaba", "SP", "13400", "19"),
    Place("São José dos Campos", "SP", "12210", "12"),
    Place("Joinville", "SC", "89201", "47"),
    Place("Jaraguá do Sul", "SC", "89251", "47"),
    Place("Maringá", "PR", "87013", "44"),
    Place("São José dos Pinhais", "PR", "83005", "41"),
    Place("Contagem", "MG", "32010", "31"),
    Place("Uberlândia", "MG", "38400", "34"),
    Place("Niterói", "RJ", "24020", "21"),
    Place("Goiânia", "GO", "74010", "62"),
    Place("Feira de Santana", "BA", "44001", "75"),
    Place("Jaboatão dos Guararapes", "PE", "54310", "81"),
    Place("Mossoró", "RN", "59600", "84"),
    Place("Ji-Paraná", "RO", "76900", "69"),
    Place("Sinop", "MT", "78550", "66"),
)

COUNTRIES = (
    ("Argentina", "Córdoba"),
    ("Uruguai", "Paysandú"),
    ("Paraguai", "Ciudad del Este"),
    ("Chile", "Concepción"),
)

FIRST_NAMES = (
    "Adalgisa", "Benedito", "Célia", "Dagoberto", "Eulália", "Firmino", "Graça", "Honório", "Inácia", "Jandira",
    "Leocádio", "Marlúcia", "Nélio", "Odete", "Péricles", "Quitéria", "Rômulo", "Sebastião", "Teófilo", "Zulmira",
)  # fmt: skip

SURNAMES = (
    "Aguiar", "Brandão", "Camargo", "Dornelles", "Escobar", "Fagundes", "Gusmão", "Holanda", "Iglésias", "Jardim",
    "Lacerda", "Magalhães", "Noronha", "Orleães", "Peçanha", "Quadros", "Rebouças", "Sá", "Taborda", "Xavier",
)  # fmt: skip

TRADES = (
    "Usinagem", "Metalúrgica", "Redutores", "Máquinas Agrícolas", "Transportadores", "Manutenção Industrial",
    "Moinhos", "Cerâmica", "Laticínios", "Papel e Celulose", "Mineração", "Ferramentaria", "Tornearia", "Têxtil",
)  # fmt: skip

BRANDS = (
    "Aurora Velha", "Bom Cedro", "Campo Manso", "Dois Pinheiros", "Estrela do Oeste", "Figueira Alta", "Guaraúna",
    "Horizonte Azul", "Ibitirama", "Jequitibá", "Lajeado Grande", "Morro Redondo", "Nova Querência", "Ouro Fino",
    "Pedra Lascada", "Quatro Ventos", "Rio Manso", "Serra d'Água", "Três Figueiras", "Vale Sereno",
)  # fmt: skip

ENDINGS = ("Ltda", "Ltda", "Ltda ME", "Indústria e Comércio Ltda", "S.A.", "EIRELI", "& Cia. Ltda")

STREETS = (
    "Rua das Acácias", "Avenida Brasil", "Rua Quinze de Novembro", "Rodovia BR-116, km 12", "Rua João Pessoa",
    "Travessa do Açude", "Avenida dos Imigrantes", "Rua Sete de Setembro", "Estrada do Moinho", "Rua São Luís",
)  # fmt: skip

DISTRICTS = ("Centro", "Distrito Industrial", "São Cristóvão", "Vila Operária", "Jardim América", "Boa Vista")
