"""Programs built with a sanitizer run as they do untraced, and one line says that they are not
traced."""

import re
import shutil

import pytest

import vbt

FLAGS = {"address": "AddressSanitizer", "thread": "ThreadSanitizer", "leak": "LeakSanitizer"}
PROGRAM = """
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *work(void *block) { return realloc(block, 20); }

int main(int count, char **arguments) {
    pthread_t thread;
    void *block;
    pthread_create(&thread, NULL, work, malloc(10));
    pthread_join(thread, &block);
    usleep(50000);
    for (int i = 0; i < count; i++)
        puts(arguments[i]);
    puts(getenv("LD_PRELOAD") != NULL ? getenv("LD_PRELOAD") : "no LD_PRELOAD");
    free(block);
    if (count > 2)
        return ((volatile char *)block)[1]; /* freed */
    return 7;
}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sanitized")
    (folder / "program.c").write_text(PROGRAM)

    def built(*flags, compiler="cc"):
        if shutil.which(compiler) is None:
            pytest.skip(f"{compiler} is not installed")
        program = folder / "-".join([compiler, *(flag.strip("-").replace("=", "-") for flag in flags)])
        done = vbt.run([compiler, "-g", "-O0", "-w", "-pthread", *flags, "-o", program, folder / "program.c"])
        if done.returncode != 0:
            pytest.skip(f"{compiler} {' '.join(flags)}: {done.stderr.strip().splitlines()[-1]}")
        return program

    return built


def anonymous(text):
    """Without the parts that differ between processes."""
    return re.sub(r"==\d+==|pid[ =]\d+|T\d+|0x[0-9a-f]+", "", text)


@pytest.mark.parametrize("arguments", [["one"], ["one", "two and more"]])
@pytest.mark.parametrize("flag", FLAGS)
def test_starts_again_without(flag, arguments, build, tmp_path):
    program = build(f"-fsanitize={flag}")
    untraced = vbt.run([program, *arguments])
    traced = vbt.run([program, *arguments], traced=tmp_path)
    message = f"vbtrace: {program}: is built with {FLAGS[flag]}, which replaces malloc as vbtrace does; running untraced\n"
    assert (traced.returncode, traced.stdout, anonymous(traced.stderr)) == (untraced.returncode, untraced.stdout, anonymous(message + untraced.stderr))
    assert (untraced.returncode == 7) == (len(arguments) == 1) and list(tmp_path.iterdir()) == []


def test_other_preloaded_libraries_stay(build, tmp_path):
    program = build("-fsanitize=address")
    other = vbt.compiled("visitor.c", "-shared", "-fPIC", "-DNAME=visitor")
    traced = vbt.run([program], traced=tmp_path, preload=[other], env={"ASAN_OPTIONS": "verify_asan_link_order=0"})
    assert (traced.returncode, traced.stdout.splitlines()[1:]) == (7, [f" {other}"])


def test_found_through_path_and_by_a_script(build, tmp_path):
    """It keeps the name it was called by, and runs its script."""
    program = build("-fsanitize=address")
    (tmp_path / "called").symlink_to(program)
    (tmp_path / "script").write_text(f"#!{program} option\n")
    (tmp_path / "script").chmod(0o755)
    for command in (["sh", "-c", "called here"], [tmp_path / "script"]):
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        untraced = vbt.run(command, env=env)
        traced = vbt.run(command, env=env, traced=tmp_path)
        assert (traced.returncode, traced.stdout) == (untraced.returncode, untraced.stdout)
        assert traced.stderr.count("running untraced") == 1


@pytest.mark.parametrize(
    "flags",
    [
        ("cc", "-fsanitize=address", "-static-libasan"),
        ("cc", "-fsanitize=thread", "-static-libtsan"),
        *(("clang", f"-fsanitize={kind}") for kind in ("address", "thread", "leak", "memory")),
    ],
    ids=" ".join,
)
def test_linked_into_the_program(flags, build, tmp_path):
    program = build(*flags[1:], compiler=flags[0])
    untraced = vbt.run([program, "one"])
    traced = vbt.run([program, "one"], traced=tmp_path)
    assert (traced.returncode, traced.stdout) == (untraced.returncode, untraced.stdout.replace("no LD_PRELOAD", str(vbt.LIBRARY)))
    message = f"vbtrace: {program}: is built with a sanitizer, which replaces malloc as vbtrace does; running untraced\n"
    assert (untraced.returncode, traced.stderr) == (7, message) and list(tmp_path.iterdir()) == []
