"""Inputs of the compared programs: small files with fixed contents, and a git repository of a few
commits."""

import json
import random
import subprocess

C_PROGRAM = """
#include <stdio.h>
struct list { struct list *next; int value; };
static int sum(const struct list *list) { return list ? list->value + sum(list->next) : 0; }
int twice(int x) { return 2 * x; }
int main(int count, char **arguments) {
    struct list all[16];
    for (int i = 0; i < 16; i++)
        all[i] = (struct list){i < 15 ? &all[i + 1] : 0, twice(i + count)};
    printf("%s: %d\\n", arguments[0], sum(all));
}
"""

CPP_PROGRAM = """
template <typename T, int N> struct ring {
    T items[N];
    int first = 0;
    T &operator[](int i) { return items[(first + i) % N]; }
    template <typename F> void each(F f) { for (auto &item : items) f(item); }
};
struct base { virtual ~base() {} virtual int get() const = 0; };
template <int N> struct number : base { int get() const override { return N; } };
int work(ring<base *, 4> &all) {
    int sum = 0;
    all.each([&](base *one) { sum += one->get(); });
    try { if (sum > 100) throw number<7>(); } catch (const base &thrown) { sum = thrown.get(); }
    return sum + ring<number<3>, 2>()[1].get();
}
"""

TEXTS = {
    "program.c": C_PROGRAM,
    "program.cpp": CPP_PROGRAM,
    "Makefile": "all: $(patsubst %.in,%.out,$(sort $(wildcard *.in)))\n%.out: %.in\n\tsort $< > $@\n",
    "statements.sql": "create table t(a integer primary key, b text);\n"
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) insert into t select i, 'row ' || (i * 7 % 1000) from n;\n"
    "create index by_b on t(b);\nselect b, count(*), sum(a) from t group by b order by 3 desc limit 10;\n",
    "script.pl": "my %h; $h{$_ * 7 % 1000} .= \"x$_ \" for 1..5000; print map { \"$_=$h{$_}\\n\" } sort keys %h; my @a = sort { $b <=> $a } 1..999;",
    "script.lua": "local t = {} for i = 1, 5000 do t[i] = ('%d:%s'):format(i, ('x'):rep(i % 50)) end table.sort(t) print(#table.concat(t, ','))",
    "script.awk": "{ count[$1 % 100]++; text[NR] = $0 } END { for (i = 0; i < 100; i++) print i, count[i]; print length(text) }",
    "script.tcl": "set d {}; for {set i 0} {$i < 2000} {incr i} { dict set d k$i [string repeat x [expr {$i % 40}]] }\nputs [string length $d]",
    "script.m4": "define(`forloop', `pushdef(`$1', `$2')_forloop($@)popdef(`$1')')dnl\n"
    "define(`_forloop', `$4`'ifelse($1, `$3', `', `define(`$1', incr($1))$0($@)')')dnl\nforloop(`i', 1, 300, `i squared is eval(i * i)\n')",
    "numbers.bc": "define f(n) { if (n < 2) return 1; return n * f(n - 1); }\nf(120)\nscale = 60\n4 * a(1)\nquit\n",
    "grammar.y": "%token NUMBER\n%left '+' '-'\n%left '*' '/'\n%%\nexpr: expr '+' expr | expr '-' expr | expr '*' expr | expr '/' expr | '(' expr ')' | NUMBER;\n",
    "scanner.l": "%option noyywrap\n%%\n[0-9]+  { return 1; }\n[a-z_][a-z0-9_]*  { return 2; }\n\"/*\"([^*]|\\*+[^*/])*\\*+\"/\"  ;\n.|\\n  ;\n",
    "script.py": "class Node:\n    def __init__(self, value):\n        self.value, self.children = value, []\n\n"
    "words = {}\nfor i in range(3000):\n    words.setdefault(str(i * 7919 % 1000), []).append(Node(i * 1.5))\n"
    "print(len(words), sum(node.value for nodes in words.values() for node in nodes), '%s' % sorted(words)[:3])\n",
}


def git(folder, *arguments):
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    dates = {"GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who, **dates}
    subprocess.run(["git", "-C", folder, *arguments], env=env, check=True, capture_output=True)


def make(folder, with_git):
    chance = random.Random(1)
    words = [f"{chance.randrange(10**6)} {chance.choice('foo bar baz qux'.split())}{chance.randrange(1000)}" for _ in range(20_000)]
    texts = {**TEXTS, "words": "\n".join(words) + "\n"}
    texts["lines"] = "".join(f"{word.split()[1]}\n" for word in words[:1500])
    texts["sorted"] = "".join(sorted(texts["lines"].splitlines(keepends=True)))
    rows = [{"number": i, "name": f"name {i}", "tags": ["a", "b" * (i % 9)], "half": i / 2} for i in range(300)]
    texts["archive.json"] = json.dumps(rows)
    texts["archive.xml"] = "<all>" + "".join(f'<one n="{i}"><name>name {i}</name><half>{i / 2}</half></one>' for i in range(300)) + "</all>"
    for i in range(2):
        texts[f"part{i}.in"] = "\n".join(words[100 * i : 100 * i + 100])
    for name, text in texts.items():
        (folder / name).write_text(text)
    if with_git:
        repository = folder / "repository"
        repository.mkdir()
        git(repository, "init", "-q")
        for turn in range(5):
            for i in range(10):
                (repository / f"file{i}").write_text("\n".join(words[50 * i : 50 * i + 20 + turn * i]))
            git(repository, "add", "-A")
            git(repository, "commit", "-q", "-m", f"commit {turn}")
        (repository / "file3").write_text("changed\n")
        (repository / "new").write_text("not known\n")
