"""What bench/run native runs: a synthetic program that only allocates, and real ones from Debian's
packages."""

import dataclasses
import pathlib
import shutil
import subprocess

from .measure import WORKLOADS, Failed, build, last_line
from .workloads import Workload

SYNTHETIC_PAIRS = 20_000_000
COMBINATIONS = [(variant, depth, threads) for variant in ("loop", "churn") for depth in (4, 12, 30) for threads in (1, 2, 8)] + [("anew", 12, 1)]


@dataclasses.dataclass(frozen=True)
class Synthetic(Workload):
    """pairs.c with a call depth, a number of threads that divide the pairs among them, and a
    variant: loop, anew or churn."""

    depth: int = 4
    threads: int = 1
    variant: str = "loop"

    def command(self, python, size, seed, directory):
        return [str(pathlib.Path(directory) / "pairs"), self.variant, *map(str, (self.depth, self.threads, size, seed))]

    def prepare(self, directory):
        if not (pathlib.Path(directory) / "pairs").exists():
            build("pairs", WORKLOADS / self.program, directory, "-pthread")


@dataclasses.dataclass(frozen=True)
class Program(Workload):
    """A program of Debian. arguments is its command line, from the program on."""

    package: str = ""

    @property
    def native(self):
        return True

    def executable(self):
        return shutil.which(self.arguments[0])

    def missing(self):
        return None if self.executable() else f"no {self.arguments[0]} (on Debian: apt install {self.package})"

    def prepare(self, directory):
        pass

    def command(self, python, size, seed, directory):
        self.write_input(size, seed, directory)
        return [self.executable(), *self.filled(self.arguments[1:], size, seed, directory)]

    def write_input(self, size, seed, directory):
        """Write to directory what a run of this size reads."""


def records(size, seed):
    """Rows for a table: number, owner, name, value."""
    number = seed
    for i in range(size):
        number = (number * 1103515245 + 12345) % 2**31
        yield i, number % 997, f"name {number}", number / 2**31


@dataclasses.dataclass(frozen=True)
class Sqlite(Program):
    """Imports rows from a file of comma-separated values, makes an index, then queries them in
    several ways."""

    TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, owner INTEGER, name TEXT, value REAL);"

    def write_input(self, size, seed, directory):
        path = pathlib.Path(directory) / f"{self.name}.{size}.sql"
        if path.exists():
            return
        with path.open("w") as script:
            print(self.TABLE, file=script)
            self.write_rows(script, path, size, seed)
            print("CREATE INDEX by_owner ON t (owner, name);", file=script)
            for i in range(0, size, 40):
                print(f"SELECT count(*), sum(value), group_concat(name) FROM t WHERE owner = {i % 997} AND id > {i};", file=script)
            print("SELECT owner, count(*), avg(value), max(name) FROM t GROUP BY owner ORDER BY 3;", file=script)

    def write_rows(self, script, path, size, seed):
        values = path.with_suffix(".csv")
        values.write_text("".join(f"{i},{owner},{name},{value}\n" for i, owner, name, value in records(size, seed)))
        print(f".import --csv '{values}' t", file=script)


@dataclasses.dataclass(frozen=True)
class SqliteStatements(Sqlite):
    """The same with a statement for each row."""

    def write_rows(self, script, path, size, seed):
        print("BEGIN;", file=script)
        for i, owner, name, value in records(size, seed):
            print(f"INSERT INTO t VALUES ({i}, {owner}, '{name}', {value});", file=script)
        print("COMMIT;", file=script)


@dataclasses.dataclass(frozen=True)
class Cc1plus(Program):
    """The C++ compiler proper, on a preprocessed file of many template instances."""

    def executable(self):
        if shutil.which("g++") is None:
            return None
        return shutil.which(subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True).stdout.strip())

    def write_input(self, size, seed, directory):
        path = pathlib.Path(directory) / f"{self.name}.{size}.ii"
        if path.exists():
            return
        if size == 0:
            path.write_text("")
            return
        source = path.with_suffix(".cpp")
        uses = "".join(f"template struct Kind<{i}>;\n" for i in range(size))
        source.write_text((WORKLOADS / "templates.hpp").read_text() + uses)
        done = subprocess.run(["g++", "-E", "-O2", "-o", path, source], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"g++ -E {source}: {last_line(done.stderr)}")


@dataclasses.dataclass(frozen=True)
class Redis(Program):
    """The server; its clients run beside it and shut it down at the end."""

    pipeline: int = 1  # requests that a client sends at a time

    def beside(self, size, seed, directory):
        return ["/bin/sh", str(WORKLOADS / "redis_clients.sh"), f"{directory}/redis.sock", str(size), str(self.pipeline)]

    def missing(self):
        return super().missing() or (
            None if shutil.which("redis-benchmark") else "no redis-benchmark (on Debian: apt install redis-tools)"
        )


REDIS = ("redis-server", "--port", "0", "--unixsocket", "{directory}/redis.sock", "--save", "", "--appendonly", "no")
SQLITE = ("sqlite3", ":memory:", ".read {directory}/{name}.{size}.sql")
AS_ANY = {"VBTRACE_NATIVE": "only"}  # what reaches malloc, as heaptrack sees it; otherwise Python's frames and allocators are reported too
JSON = ("/usr/bin/python3", "{workloads}/json_loop.py", "{size}", "{seed}")

ALL = [
    *(
        Synthetic(
            f"{variant}-{depth}" + (f"-{threads}threads" if threads > 1 else ""),
            SYNTHETIC_PAIRS,
            "pairs.c",
            share_of_slow=1 / 40,
            depth=depth,
            threads=threads,
            variant=variant,
        )
        for variant, depth, threads in COMBINATIONS
    ),
    Sqlite("sqlite", 200_000, arguments=SQLITE, package="sqlite3"),
    SqliteStatements("sqlite-statements", 200_000, arguments=SQLITE, package="sqlite3"),
    Program("python-json", 300, arguments=JSON, package="python3", variables=AS_ANY),
    Program("python-json-malloc", 300, arguments=JSON, package="python3", variables={"PYTHONMALLOC": "malloc"} | AS_ANY),
    Program("python-json-frames", 300, arguments=JSON, package="python3"),
    Program("perl", 200_000, arguments=("perl", "{workloads}/words.pl", "{size}", "{seed}"), package="perl"),
    Program("lua", 200_000, arguments=("lua5.4", "{workloads}/words.lua", "{size}", "{seed}"), package="lua5.4"),
    Cc1plus(
        "cc1plus",
        10,
        arguments=("cc1plus", "-quiet", "-fpreprocessed", "-O2", "{directory}/cc1plus.{size}.ii", "-o", "/dev/null"),
        package="g++",
    ),
    Redis("redis", 60_000, arguments=REDIS, package="redis-server"),
    Redis("redis-pipelined", 150_000, arguments=REDIS, package="redis-server", pipeline=8),
]
