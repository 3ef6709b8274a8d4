"""Servers that a test runs in their own folder: how each is started, put under load, checked for
errors, and stopped.

Those that must not run as root run as their Debian user.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import vbt

PATIENCE = 60  # seconds; only a hang takes that long


class Server:
    """One process, and those it forks. `turn` does a bit of everything, once; `load` repeats it;
    `last` does rare things."""

    name = ""
    programs = []  # in addition to the server's own
    end_signal = signal.SIGTERM
    user = None

    def __init__(self, folder, traced):
        self.folder, self.traced = pathlib.Path(folder), traced
        self.folder.mkdir(mode=0o755)
        self.traces = self.folder / "traces"
        self.traces.mkdir()
        self.errors = []  # of the clients
        self.done = 0
        self.prepare()
        if self.account:
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, self.user, self.user)
        with (self.folder / "printed").open("wb") as printed:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, **self.account
            )
        self.wait_until_ready()

    @classmethod
    def missing(cls):
        """The programs that are not installed."""
        return [program for program in cls.programs if cls.where(program) is None]

    @classmethod
    def where(cls, program):
        return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")

    @property
    def account(self):
        return {"user": self.user, "group": self.user, "extra_groups": []} if self.user and os.getuid() == 0 else {}

    def environment(self):
        if not self.traced:
            return vbt.environment()
        return vbt.environment(LD_PRELOAD=str(vbt.LIBRARY), VBTRACE_OUTPUT=f"{self.traces}/%e.%p.vbt", VBTRACE_QUIET="1")

    def client(self, *command, **options):
        """Runs a client, untraced; returns its output. A status other than 0 is an error."""
        done = vbt.run(["nice", *command], timeout=3600, stderr=subprocess.STDOUT, **options)
        if done.returncode != 0:
            self.errors.append(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stdout[-500:]}")
        return done.stdout

    def load(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.turn()

    def last(self):
        pass

    def wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready():
            assert self.process.poll() is None, f"{self.name} did not start: {(self.folder / 'printed').read_text(errors='replace')}"
            assert time.monotonic() < deadline, f"{self.name} does not answer"
            time.sleep(0.05)

    def processes(self):
        """The ids of the server and of all processes it forked."""
        found, more = [], [self.process.pid]
        while more:
            found += more
            more = [child for pid in more for child in children(pid)]
        return found

    def stop(self):
        """Its exit status."""
        self.process.send_signal(self.end_signal)
        return self.process.wait(PATIENCE)

    def kill(self):
        for pid in self.processes() if self.process.poll() is None else []:  # the master first: it would replace the others
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def complaints(self):
        """The errors in its log or on its terminal, without numbers."""
        texts = [path.read_text(errors="replace") for path in (self.folder / "printed", self.folder / "log") if path.exists()]
        lines = [line for text in texts for line in text.splitlines() if self.is_complaint(line)]
        return {re.sub(r"[0-9]+", "N", line.replace(str(self.folder), "")) for line in lines}


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []


class Redis(Server):
    """Several threads; forks to save its data and to rewrite its journal; frees in one thread what
    others allocated."""

    name = "redis-server"
    programs = ["redis-server", "redis-benchmark", "redis-cli"]
    tests = "set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset"

    def prepare(self):
        self.socket = self.folder / "socket"

    def command(self):
        options = {"port": 0, "unixsocket": self.socket, "dir": self.folder, "logfile": self.folder / "log", "save": "10 1000", "io-threads": 2}
        options.update({"appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-min-size": "8mb", "maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"})
        return [self.where(self.name), *(word for option, value in options.items() for word in (f"--{option}", *str(value).split(";")))]

    def ask(self, *words):
        return self.client("redis-cli", "-s", self.socket, *words)

    def is_ready(self):
        return vbt.run(["redis-cli", "-s", self.socket, "ping"]).stdout == "PONG\n"

    def turn(self):
        requests = 3000
        options = ["-t", self.tests, "-r", 20000, "-n", requests, "-c", 20, "-d", 100, "-P", 4, "-q"]
        said = self.client("redis-benchmark", "-s", self.socket, *options)
        self.errors += [line for line in said.splitlines() if "rror" in line]
        self.done += requests * said.count("requests per second")
        self.ask("flushdb", "async")  # flushall would kill a saving child

    def last(self):
        """The server's end must not kill a child: it first starts no more, then waits for the one
        that is running."""
        self.ask("config", "set", "save", "", "auto-aof-rewrite-percentage", "0")
        deadline = time.monotonic() + PATIENCE
        while re.search("(in_progress|scheduled):1", self.ask("info", "persistence")) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.errors += [line for line in self.ask("info", "errorstats").splitlines() if line.startswith("errorstat_")]

    def is_complaint(self, line):
        return re.match(r"\d+:\w .{20,30} # ", line) or "rror" in line


class Nginx(Server):
    """A master with forked workers, which are replaced when it reloads its configuration."""

    name = "nginx"
    programs = ["nginx", "ab"]
    end_signal = signal.SIGQUIT
    WORKERS = 2
    CONFIGURATION = """
daemon off; master_process on; worker_processes {workers}; {user}
pid {folder}/pid; error_log {folder}/log info;
events {{ worker_connections 256; }}
http {{
    types {{ text/html html; text/plain txt; }}
    access_log {folder}/access;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    gzip on; gzip_types text/plain;
    upstream itself {{ server unix:{folder}/upstream; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port}; listen unix:{folder}/upstream;
        root {folder}/files;
        location /list/ {{ autoindex on; alias {folder}/files/; }}
        location /proxied/ {{ proxy_pass http://itself/; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""
    PAGES = ["/small.html", "/large.txt", "/list/", "/proxied/large.txt", "/proxied/list/"]

    def prepare(self):
        with socket.socket() as any_port:
            any_port.bind(("127.0.0.1", 0))
            self.port = any_port.getsockname()[1]
        files = self.folder / "files"
        files.mkdir()
        (files / "small.html").write_text("<html>small</html>\n")
        (files / "large.txt").write_text("".join(f"line {i} of a text to be compressed\n" for i in range(3000)))
        user = "user root;" if os.getuid() == 0 else ""
        (self.folder / "conf").write_text(self.CONFIGURATION.format(workers=self.WORKERS, user=user, folder=self.folder, port=self.port))

    def command(self):
        return [self.where(self.name), "-p", self.folder, "-c", self.folder / "conf", "-e", self.folder / "log"]

    def is_ready(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def turn(self):
        for page in self.PAGES:
            for kept in ([], ["-k"]):
                said = self.client("ab", "-q", "-n", 200, "-c", 16, "-H", "Accept-Encoding: gzip", *kept, f"http://127.0.0.1:{self.port}{page}")
                counts = dict(re.findall(r"^(Complete requests|Failed requests|Non-2xx responses|Write errors): +(\d+)", said, re.MULTILINE))
                self.done += int(counts.pop("Complete requests", 0))
                self.errors += [f"{page}: {what}: {number}" for what, number in counts.items() if number != "0"]

    def last(self):
        self.process.send_signal(signal.SIGHUP)  # new workers take over
        time.sleep(1)
        self.turn()

    def is_complaint(self, line):
        return re.search(r"\[(warn|error|crit|alert|emerg)\]", line)


class Postgres(Server):
    """A process for each connection, and background processes, with shared memory."""

    name = "postgres"
    programs = ["postgres", "initdb", "pgbench", "psql"]
    end_signal = signal.SIGINT  # connections are closed, too
    user = "postgres"
    CLIENTS = 4

    @classmethod
    def where(cls, program):
        """Debian keeps the programs of each version in their own folder."""
        folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        return shutil.which(program, path=":".join(map(str, [*reversed(folders), os.environ["PATH"]])))

    def prepare(self):
        if self.account:
            shutil.chown(self.folder, self.user, self.user)
        data = self.folder / "data"
        done = vbt.run([self.where("initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8"], directory=self.folder, **self.account)
        assert done.returncode == 0, done.stderr

    def command(self):
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "shared_buffers": "32MB", "autovacuum_naptime": "5s"}
        options.update(checkpoint_timeout="30s", max_wal_size="64MB", log_destination="stderr", logging_collector="off")
        return [self.where(self.name), "-D", self.folder / "data", *(word for option, value in options.items() for word in ("-c", f"{option}={value}"))]

    def pgbench(self, *options):
        return self.client(self.where("pgbench"), "-h", self.folder, "-U", "postgres", *options, "postgres")

    def is_ready(self):
        query = [self.where("psql"), "-h", self.folder, "-U", "postgres", "-c", "select 1", "postgres"]
        return vbt.run(query).returncode == 0

    def work(self, *options):
        said = self.pgbench(*options)
        counts = re.search(r"number of transactions actually processed: (\d+)", said)
        failed = re.search(r"number of failed transactions: (\d+)", said)
        self.done += int(counts[1]) if counts else 0
        if not counts or (failed and failed[1] != "0"):
            self.errors.append(said)

    def turn(self):
        self.pgbench("-i", "-q", "-s", 2)
        self.work("-c", self.CLIENTS, "-t", 50)

    def load(self, seconds):
        """The same connections to the end."""
        self.work("-c", self.CLIENTS, "-j", 2, "-T", max(1, int(seconds)))

    def last(self):
        self.work("-C", "-c", 2, "-t", 10)
        self.work("-S", "-M", "prepared", "-c", 2, "-t", 500)

    def is_complaint(self, line):
        return re.search(r"\b(WARNING|ERROR|FATAL|PANIC):", line) and "the database system is starting up" not in line
