"""O PostgreSQL de uma pasta: criar, começar, parar. Quem o faz é o vigia (`watch.py`), pai do servidor."""

import ctypes
import functools
import hashlib
import locale
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bling_collector.db.embedded.files import (
    LOG,
    is_private,
    log_tail,
    processes_in,
    read_pid_file,
    trim_log,
)
from bling_collector.disk.locks import open_private
from bling_collector.disk.names import keep_names
from bling_collector.errors import DatabaseError

USER = "bling"
PASSWORD = "password"  # noqa: S105  o nome do arquivo; só no Windows ele existe
PORT = "port"
"""O arquivo que diz a porta em que o servidor atende às ferramentas desta máquina; sem ele, não atende a nenhuma."""
ACCESS = "pg_hba.aberto.conf"
SOCKET_PORT = 5432
LARGEST_PORT = 65535
LOOPBACK = "127.0.0.1"
POLL = 0.01
STALE_SECONDS = 10.0
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "50",
    "timezone": "UTC",
    "lc_messages": "C",
    # O registro é para achar defeitos do servidor: nem comandos nem dados passam por ele.
    "log_statement": "none",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


class Server:
    """O PostgreSQL de uma pasta: criar, começar, parar. Quem chama tem o trinco do vigia."""

    def __init__(self, bin_dir: Path, base: Path) -> None:
        self.bin_dir = bin_dir
        self.base = base
        self.data = base / "data"
        self.log = base / LOG
        self._account = choose_account(bin_dir, base)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None
        self._port = chosen_port(base)

    def create(self) -> None:
        """initdb numa pasta ao lado, que só ganha o nome definitivo quando está inteira."""
        for leftover in self.base.glob("data.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.data.exists():
            return
        fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=self.base))
        self._give(fresh)
        options = f"--username {USER} --encoding UTF8 --locale {_locale()} --data-checksums --no-instructions"
        arguments: list[str | Path] = [*options.split(), "--pgdata", fresh]
        if sys.platform == "win32":
            (self.base / PASSWORD).write_text(secrets.token_urlsafe(24))
            arguments += ["--auth", "scram-sha-256", "--pwfile", self.base / PASSWORD]
        else:
            # A pasta do soquete, 0700, é a porta: quem passa por ela já podia ler os arquivos. `peer` não serve,
            # pois o root e o dono dos dados entram os dois.
            arguments += ["--auth", "trust"]
        answer = self._run("initdb", *arguments)
        if answer.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            text = answer.stdout.decode(errors="replace").strip()[-2000:]
            raise DatabaseError(
                explain(self.base, text) or f"Não consegui criar o banco em {self.data}. initdb:\n{text}"
            )
        fresh.rename(self.data)
        keep_names(self.base)

    def start(self) -> None:
        """Começa o servidor e volta quando ele aceita conexões; levanta `DatabaseError` se ele desiste."""
        trim_log(self.log)
        begin = self.log.stat().st_size if self.log.exists() else 0
        settings = dict(SETTINGS)
        if sys.platform == "win32":
            port = self._port if self._port and is_free(self._port) else 0
            with socket.create_server((LOOPBACK, port)) as probe:
                port = probe.getsockname()[1]
            settings |= {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": ""}
            options = " ".join(f'-c "{name}={value}"' for name, value in settings.items())
            if self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.log, "-o", options).returncode:
                raise self._failure(begin)
            return
        self._socket = self._socket or socket_folder(self.base)
        self._private(self._socket)
        self._clear_stale(self._socket)
        settings |= {
            "listen_addresses": "",
            "port": str(self._port or SOCKET_PORT),
            "unix_socket_directories": str(self._socket),
            "unix_socket_permissions": "0700",
        }
        # Com a porta ocupada por outro programa começa fechado: coletar importa mais.
        if self._port and is_free(self._port):
            settings |= {"listen_addresses": LOOPBACK, "hba_file": str(self._access())}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = open_private(self.log, os.O_APPEND)
        try:
            self._process = subprocess.Popen(  # noqa: S603  o programa é da pasta de binários escolhida
                [self.bin_dir / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                preexec_fn=self._enter("SIGINT"),  # noqa: PLW1509  ver _enter
            )
        finally:
            os.close(log)
        while True:
            written = read_pid_file(self.data)
            if written and written.ready and written.pid == self._process.pid:
                return
            if self._process.poll() is not None:
                raise self._failure(begin)
            time.sleep(POLL)

    def alive(self) -> bool:
        if sys.platform == "win32":
            return self._run("pg_ctl", "status", "-D", self.data).returncode == 0
        return self._process is not None and self._process.poll() is None

    def crashed(self) -> bool:
        """Se o servidor, já pronto, foi morto: a mando de quem o parou, ele teria apagado o postmaster.pid."""
        written = read_pid_file(self.data)
        return bool(self._process and written and written.ready and written.pid == self._process.pid)

    def stop(self) -> None:
        """Para o servidor: as transações abertas são desfeitas, o que foi confirmado vai para o disco."""
        if sys.platform == "win32":
            self._run("pg_ctl", "stop", "-m", "fast", "-w", "-D", self.data)
            return
        process = self._process
        if process:
            # É filho nosso e só aqui é recolhido: enquanto não o for, o número dele não pode ser de mais ninguém.
            for number, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
                process.send_signal(number)
                try:
                    process.wait(patience)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if self._socket:
            shutil.rmtree(self._socket, ignore_errors=True)

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603  o programa é da pasta de binários escolhida
            [self.bin_dir / program, *arguments],
            stdin=subprocess.DEVNULL,
            # O servidor que o pg_ctl deixa (só no Windows) herda a saída dele: um pipe não teria fim.
            stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            preexec_fn=self._enter("SIGKILL"),
            check=False,
        )

    def _enter(self, death_signal: str) -> functools.partial[None] | None:
        """O que o filho faz antes do exec. A outra thread do vigia, se já há, dorme num flock: nada tem na mão."""
        if sys.platform == "win32":
            return None
        return functools.partial(enter, self._account, os.getpid(), signal.Signals[death_signal])

    def _give(self, folder: Path) -> None:
        if sys.platform != "win32" and self._account and not self._account.namespace:
            os.chown(folder, self._account.uid, self._account.gid)

    def _access(self) -> Path:
        """Quem entra pelo soquete é o coletor; pela porta, só um leitor, com a sua senha."""
        path = self.data / ACCESS
        file = open_private(path, os.O_TRUNC)
        with os.fdopen(file, "w") as access:
            access.write(f"local all all trust\nhost all {USER} all reject\nhost all all {LOOPBACK}/32 scram-sha-256\n")
        return path

    def _private(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700)
            self._give(folder)
        except FileExistsError:
            if not is_private(folder, self.data.stat().st_uid):
                raise DatabaseError(
                    f"A pasta do soquete, {folder}, não é privada do dono dos dados: apague-a, ou dê a TMPDIR uma "
                    "pasta só sua."
                ) from None

    def _clear_stale(self, folder: Path) -> None:
        """Apaga o que um servidor morto deixou, se nenhum processo vivo trabalha na pasta de dados.

        O número em postmaster.pid nada prova: depois de uma queda pode ser de um processo qualquer. Todo processo
        do PostgreSQL, ao contrário, tem a pasta de dados por pasta atual.
        """
        leftovers = [self.data / "postmaster.pid", *folder.glob(".s.PGSQL.*")]
        if not any(os.path.lexists(path) for path in leftovers):
            return
        deadline = time.monotonic() + STALE_SECONDS
        while alive := processes_in(self.data):
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"Não começo outro servidor: a pasta de dados {self.data} é a pasta atual de um processo vivo "
                    f"({', '.join(map(str, alive))}). Espere que ele termine, ou termine-o."
                )
            time.sleep(POLL)
        for path in leftovers:
            path.unlink(missing_ok=True)

    def _failure(self, begin: int) -> DatabaseError:
        tail = log_tail(self.log, begin)
        return DatabaseError((explain(self.base, tail) or "O PostgreSQL embutido não começou.") + tail)


def socket_folder(base: Path) -> Path:
    """Onde pôr o soquete: ao lado dos dados ou, se o caminho não cabe num endereço, na pasta temporária."""
    name = f"bling-{hashlib.sha256(os.fsencode(base)).hexdigest()[:16]}"
    limit = 107 if sys.platform == "linux" else 103
    for folder in (base / "socket", Path(tempfile.gettempdir()) / name, Path("/tmp") / name):  # noqa: S108
        length = len(os.fsencode(folder / f".s.PGSQL.{LARGEST_PORT}"))
        # A libpq e o SQLAlchemy leem `,` e `:` como separadores, e o servidor lê aspas.
        if length <= limit and not set(',:"') & set(str(folder)):
            return folder
    raise DatabaseError("O caminho da pasta temporária é longo demais para um soquete: dê a TMPDIR um mais curto.")


def chosen_port(base: Path) -> int | None:
    """A porta que se escolheu para as ferramentas desta máquina; None se nenhuma."""
    try:
        return int((base / PORT).read_text())
    except (OSError, ValueError):
        return None


def choose_port(base: Path, port: int | None) -> None:
    """Vale da próxima vez que o servidor começar; None o fecha."""
    if port is None:
        (base / PORT).unlink(missing_ok=True)
        return
    with os.fdopen(open_private(base / PORT, os.O_TRUNC), "w") as file:
        file.write(str(port))


def is_free(port: int) -> bool:
    """Se a porta está livre nesta máquina."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return False
    return True


def explain(base: Path, text: str) -> str:
    """Uma frase para o que a pessoa pode resolver; vazia se o texto não fala disso."""
    if "No space left on device" in text:
        return f"O disco está cheio: libere espaço em {base} e tente outra vez."
    if "could not create any Unix-domain sockets" in text or "could not create any TCP/IP sockets" in text:
        return "O PostgreSQL embutido não conseguiu abrir o seu soquete."
    return ""


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _locale() -> str:
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    return "C.UTF-8"


# --- com que conta rodar ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SystemUser:
    """A conta do servidor, quando não pode ser a nossa: o PostgreSQL recusa o root.

    Com `namespace`, a conta só existe dentro de um espaço de nomes de usuário em que `uid` é o nosso: o servidor
    se vê sem privilégios e, para os arquivos, continua sendo quem somos. É o que resta numa pasta 0700 do root,
    que outra conta não atravessa.
    """

    uid: int
    gid: int
    namespace: bool = False


def enter(account: SystemUser | None, parent: int, death_signal: int) -> None:
    """No filho, entre o fork e o exec: assume a conta e pede ao Linux um sinal para quando o vigia morrer."""
    if sys.platform == "win32":
        return
    if account and account.namespace:
        uid, gid = os.geteuid(), os.getegid()
        if _libc().unshare(CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{account.uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{account.gid} {gid} 1")
    elif account:
        os.setgroups([])
        os.setgid(account.gid)
        os.setuid(account.uid)
    if sys.platform == "linux":
        _libc().prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)  # o vigia morreu antes de o pedido valer


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def choose_account(bin_dir: Path, base: Path) -> SystemUser | None:
    """A conta com que rodar o servidor; None é a nossa. Não cria conta nem muda permissão de pasta alguma.

    Para o root, manda o dono dos dados (ou da pasta) que já existem: o servidor roda com a conta dele.
    """
    if sys.platform == "win32":
        return None
    import pwd  # não existe no Windows

    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    if os.geteuid() != 0 and any(entry.pw_uid == os.geteuid() for entry in known.values()):
        return None
    usual = [known[name] for name in ("postgres", "nobody") if name in known]
    inside = [SystemUser(entry.pw_uid, entry.pw_gid, namespace=True) for entry in usual[:1] if sys.platform == "linux"]
    if os.geteuid() != 0:
        # Uma conta sem nome (docker run --user 1234), que o initdb recusa: só dentro de um espaço de nomes.
        candidates = inside
    else:
        data = base / "data"
        owner = (data if data.exists() else base).stat()
        if owner.st_uid != 0:
            candidates = [SystemUser(owner.st_uid, owner.st_gid)]
        elif data.exists():
            candidates = inside
        else:
            candidates = [SystemUser(entry.pw_uid, entry.pw_gid) for entry in usual] + inside
    for account in candidates:
        if _works(account, bin_dir, base):
            return account
    raise DatabaseError(
        "O PostgreSQL não roda como root, e aqui não há outra conta que sirva: é preciso que `postgres` ou `nobody` "
        f"exista e alcance {bin_dir} e {base}, ou que o sistema permita espaços de nomes de usuário. Rode o coletor "
        "com uma conta comum, ou ponha as duas onde todos passem: o programa em /opt, por exemplo, e os dados com "
        "XDG_DATA_HOME=/var/lib."
    )


def _works(account: SystemUser, bin_dir: Path, base: Path) -> bool:
    """Se a conta consegue rodar os binários e chegar à pasta; a única prova que vale é tentar."""
    parent = os.getpid()

    def prepare() -> None:
        enter(account, parent, signal.SIGTERM)
        os.chdir(base)

    command: list[str | Path] = [bin_dir / "postgres", "--version"]
    try:
        return subprocess.run(command, preexec_fn=prepare, capture_output=True, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
