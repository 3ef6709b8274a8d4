"""Which library a count belongs to."""

import json
import shutil

import pytest

import vbt


def view(*arguments):
    done = vbt.vbtrace(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The trace of a program with libone.so, where an inline function allocates 1,000 times, and
    libtwo.so, where the same one allocates 10 times."""
    folder = tmp_path_factory.mktemp("shared")
    library = vbt.compiled("shared_inline.c", "-O1", "-DLIBRARY", "-shared", "-fPIC")
    libraries = [shutil.copy(library, folder / name) for name in ("libone.so", "libtwo.so")]
    program = vbt.compiled("shared_inline.c", "-O1", "-ldl")
    return vbt.trace([program, *libraries]).report.path


OF_THEIR_OWN = {"libone.so": 1000, "libtwo.so": 10}


def by_name(rows, count):
    """{one of the two libraries: count}, where the count is not 0."""
    names = [(row["module"] or "").rsplit("/", 1)[-1] for row in rows]
    return {name: row[count] for name, row in zip(names, rows) if row[count] and name in OF_THEIR_OWN}


def test_an_inline_function_is_counted_in_each_library(shared):
    functions = json.loads(view("functions", "--format", "json", shared))["functions"]
    assert by_name([row for row in functions if row["function"] == "take"], "allocs") == OF_THEIR_OWN
    tree = json.loads(view("tree", "--format", "json", "--min", "0", shared))["calls"]
    assert by_name([row for row in tree if row["function"] == "take"], "allocs") == OF_THEIR_OWN
    lines = json.loads(view("lines", "--by", "leaf", "--format", "json", shared))["lines"]
    assert by_name(lines, "allocs") == OF_THEIR_OWN


@pytest.mark.parametrize("command", ["functions", "tree"])
def test_libraries_with_the_same_function_are_counted_by_module(shared, command):
    rows = json.loads(view(command, "--by", "module", "--format", "json", shared))
    rows = rows["functions"] if command == "functions" else [row for row in rows["calls"] if row["parent"] == 0]
    count = "allocs" if command == "functions" else "cumulative_allocs"
    found = {row["function"]: row[count] for row in rows}
    assert {name: found[name] for name in OF_THEIR_OWN} == OF_THEIR_OWN


def test_filters_by_module_tell_them_apart(shared):
    for name, allocs in OF_THEIR_OWN.items():
        rows = json.loads(view("functions", "--format", "json", "--filter", f"module={name}", "--filter", "function=take", shared))["functions"]
        assert by_name(rows, "allocs") == {name: allocs}
    text = view("flamegraph", "--format", "collapsed", "--measure", "allocs", "--filter", r"module=libtwo\.so", shared)
    assert sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines()) >= 10
    assert not [line for line in text.splitlines() if line.endswith(" 1000")]


def test_a_function_whose_name_begins_with_the_programs(tmp_path):
    program = shutil.copy(vbt.compiled("names.c", "-g0"), tmp_path / "ma")
    trace = vbt.trace([program]).report.path
    assert f"{program}(main)\n" in view("functions", trace) or "/ma(main)\n" in view("functions", trace)
    assert "main (ma)" in view("tree", trace)
    stripped = tmp_path / "bare"
    vbt.run(["strip", "-o", stripped, program], check=True)
    trace = vbt.trace([stripped]).report.path
    assert "bare+0x" in view("tree", trace) and "(bare)" not in view("tree", trace)


def take_line():
    text = vbt.program("shared_inline.c").read_text().splitlines()
    return next(number for number, line in enumerate(text, 1) if "//@ take" in line)


def users(trace, *options):
    """{library: allocations at the line of take()} as charged to the user's own lines."""
    lines = json.loads(view("lines", "--format", "json", *options, trace))["lines"]
    return by_name([row for row in lines if row["user"] and row["line"] == take_line()], "allocs")


def test_libraries_elsewhere_are_the_users_if_patterns_say_so(shared, tmp_path):
    assert users(shared) == {}
    assert users(shared, "--user", "libone.so") == {"libone.so": 1000}
    assert users(shared, "--user", "*/lib*,!libone*") == {"libtwo.so": 10}
    program, libraries = vbt.compiled("shared_inline.c", "-O1", "-ldl"), []
    for name in OF_THEIR_OWN:
        libraries.append(shutil.copy(vbt.compiled("shared_inline.c", "-O1", "-DLIBRARY", "-shared", "-fPIC"), tmp_path / name))
    trace = vbt.trace([program, *libraries], env={"VBTRACE_USER": "libtwo*"}).report.path
    assert users(trace) == {"libtwo.so": 10}
    assert users(trace, "--user", "libone*") == {"libone.so": 1000}


@pytest.mark.parametrize("below", ["program", "working directory"])
def test_libraries_below_the_programs_folders_are_the_users(below, tmp_path):
    program, library = vbt.compiled("shared_inline.c", "-O1", "-ldl"), vbt.compiled("shared_inline.c", "-O1", "-DLIBRARY", "-shared", "-fPIC")
    (tmp_path / "plugins").mkdir()
    libraries = [shutil.copy(library, tmp_path / "plugins" / name) for name in OF_THEIR_OWN]
    if below == "program":
        run = vbt.trace([shutil.copy(program, tmp_path / "program"), *libraries])
    else:
        run = vbt.trace([program, *libraries], directory=tmp_path)
    assert users(run.report.path) == OF_THEIR_OWN
    assert users(run.report.path, "--user", "!*/plugins/*") == {}


SHOP = """struct Shop {
    char *goods = nullptr;
    void fill() { goods = new char[5000]; }
};

int main() {
    Shop shop;
    shop.fill();
    delete[] shop.goods;
}
"""


def compiled_shop(folder, *flags):
    (folder / "shop.cpp").write_text(SHOP)
    compiler = shutil.which("g++") or pytest.skip("needs g++")
    vbt.run([compiler, "-g", "-O0", "-o", folder / "shop", folder / "shop.cpp", *flags], check=True)
    return folder / "shop"


@pytest.mark.parametrize("flags", [(), ("-static-libstdc++", "-static-libgcc")], ids=["shared", "static"])
def test_functions_of_cpp_begin_with_the_users_own(tmp_path, flags):
    """All of C++ goes through operator new: a list that begins with it says nothing; nor does one
    that begins with _start, or what was linked into the program."""
    trace = vbt.trace([compiled_shop(tmp_path, *flags)]).report.path
    first = view("functions", trace).partition("(function)\n")[2].splitlines()[:2]
    assert ["shop.cpp:3(Shop::fill())" in first[0], "shop.cpp:6(main)" in first[1]] == [True, True], first
    if flags:
        return
    rows = json.loads(view("functions", "--format", "json", "--filter", "function=Shop::fill", trace))["functions"]
    users = [row["user"] and row["line"] > 0 for row in rows]
    assert users == sorted(users, reverse=True) and {"main", "Shop::fill()"} <= {row["function"] for row in rows if row["user"]}
    assert "Ordered by: cum-bytes, the user's own first\n" in view("functions", "--filter", "function=Shop::fill", trace)
    first = json.loads(view("functions", "--format", "json", "--sort", "bytes", "--filter", "function=Shop::fill", trace))["functions"][0]
    assert first["function"].startswith("operator new")


def test_functions_of_cpp_without_callers(tmp_path):
    """Nothing there is the user's own."""
    trace = vbt.trace([compiled_shop(tmp_path)], env={"VBTRACE_NATIVE": "leaf"}).report.path
    assert "Ordered by: bytes\n" in view("functions", trace)


def test_functions_of_rust_begin_with_the_users_own(tmp_path):
    (tmp_path / "shop.rs").write_text("fn fill() -> Vec<u8> {\n    vec![7; 5000]\n}\n\nfn main() {\n    assert!(fill().len() == 5000);\n}\n")
    compiler = shutil.which("rustc") or pytest.skip("needs rustc")
    vbt.run([compiler, "-g", "-o", tmp_path / "shop", tmp_path / "shop.rs"], check=True)
    trace = vbt.trace([tmp_path / "shop"]).report.path
    assert "Ordered by: cum-bytes, the user's own first\n" in view("functions", trace)
    rows = json.loads(view("functions", "--format", "json", trace))["functions"]
    names = [row["function"].rsplit("::")[-1] for row in rows if row["file"].endswith("/shop.rs")]
    assert set(names[:2]) == {"main", "fill"} and [row["file"].endswith("/shop.rs") for row in rows[:2]] == [True, True], rows[:4]


def test_headers_as_clang_names_them(tmp_path):
    """/usr/bin/../lib/gcc/...: what the standard library allocates is charged to the caller."""
    compiler = shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs clang++")
    source = tmp_path / "fills.cpp"
    source.write_text('#include <map>\n#include <string>\n\nint main() {\n    std::map<int, std::string> all;\n    for (int i = 0; i < 50; i++)\n        all[i] = std::string(40, \'x\'); //@\n}\n')
    for level in ("-O0", "-O2"):
        program = tmp_path / f"fills{level}"
        vbt.run([compiler, "-g", level, "-o", program, source], check=True)
        lines = json.loads(view("lines", "--format", "json", vbt.trace([program]).report.path))["lines"]
        assert {row["line"]: row["allocs"] for row in lines if row["user"]} == {7: 100}, level
