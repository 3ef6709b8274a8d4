"""Completion in bash, zsh and fish: what the tool itself lists."""

import shlex
import shutil

import pytest

import vbt

FOLDER = vbt.ROOT / "packaging" / "completion"
CASES = {
    "vbtrace re": {"report"},
    "vbtrace help time": {"timeline"},
    "vbtrace report --form": {"--format"},
    "vbtrace run --follow ": {"programs", "all"},
    "vbtrace run --native ": {"leaf", "full", "only"},
    "vbtrace run --mem": {"--memit"},
    "vbtrace nonsense --form": set(),
}


def ask(shell, script, tmp_path):
    (tmp_path / "vbtrace").symlink_to(vbt.ANALYZER)
    done = vbt.run([shell, "-c", script], directory=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("line", CASES)
def test_bash(line, tmp_path):
    words = shlex.split(line) + [""] * line.endswith(" ")
    script = f"source {FOLDER}/vbtrace.bash; COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; _vbtrace; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    assert ask("bash", script, tmp_path) == CASES[line]


@pytest.mark.parametrize("line", CASES)
def test_fish(line, tmp_path):
    fish = shutil.which("fish") or pytest.skip("fish is not installed")
    found = ask(fish, f"source {FOLDER}/vbtrace.fish; complete -C {shlex.quote(line)}", tmp_path)
    assert CASES[line] <= found and (CASES[line] or not any(word.startswith("-") for word in found))


@pytest.mark.parametrize("line", CASES)
def test_zsh(line, tmp_path):
    """compadd is replaced by a function that prints what it is given."""
    zsh = shutil.which("zsh") or pytest.skip("zsh is not installed")
    words = shlex.split(line) + [""] * line.endswith(" ")
    script = (
        "compadd() { shift; print -l -- ${(M)@:#${words[CURRENT]}*} }; _files() { }; "
        f"words=({' '.join(map(shlex.quote, words))}); CURRENT={len(words)}; source {FOLDER}/_vbtrace"
    )
    assert ask(zsh, script, tmp_path) == CASES[line]
