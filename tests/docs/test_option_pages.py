"""Every command and every option stands in docs/options.md and in the man page, and nothing stands
there that does not exist."""

import functools
import re

import markdown
import pytest
import vbt

PAGE = markdown.read("docs/options.md")
MAN = markdown.read("packaging/vbtrace.1.in").replace("\\-", "-")
# Of the tests, not of the library; the last stands for any.
OF_TESTS = {"VBTRACE_BUILD", "VBTRACE_PYTHONS", "VBTRACE_SERVER_SECONDS", "VBTRACE_NAME"}
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


SHORT = {"-o", "-h"}  # of --output and --help, in all commands


def answer(*arguments):
    done = vbt.vbtrace(*arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@functools.lru_cache(maxsize=None)
def listed():
    """{command: {option with its argument, such as "--limit N" or "--own"}} as the tool lists them
    for programs."""
    found = {}
    for line in answer("help", "--list").splitlines():
        command, _, option = line.partition(" ")
        found.setdefault(command, set()).add(option)
    assert {"run", "report"} <= found.keys() and "--format FORMAT" in found["report"]
    return found


def commands():
    return list(listed())


def options(command):
    return listed()[command]


def names_of(texts):
    return {name for text in texts for name in OPTION.findall(text)}


@functools.lru_cache(maxsize=None)
def variables():
    """The library's options, as variables: those of the options of `vbtrace run` that the library
    knows."""
    found = set()
    for option in names_of(options("run")):
        name = "VBTRACE_" + option.lstrip("-").upper().replace("-", "_")
        done = vbt.run(["/bin/true"], env={"LD_PRELOAD": str(vbt.LIBRARY), name: ""})
        if "no such option" not in done.stderr:
            assert name in done.stderr, (name, done.stderr)  # an empty value makes no sense
            found.add(name)
    return found


def written(text):
    """The options in the first cells of the tables of a text, each with its argument."""
    codes = {code for cells in markdown.rows(text) for code in re.findall(r"`(-[^`]*)`", cells[0])}
    return {part for code in codes for part in code.split(", ")}


def library_rows():
    return markdown.rows(markdown.section(PAGE, "The library").partition("\n### ")[0])


def option_of(variable):
    """VBTRACE_MAX_TRACE is --max-trace of `vbtrace run`."""
    return "--" + variable[len("VBTRACE_") :].lower().replace("_", "-")


def man_section(title):
    return MAN.partition(f"\n.SH {title}\n")[2].partition("\n.SH ")[0]


def man_entries(title):
    """{the words of an entry's tag: the text of the entry} of a section of the man page."""
    entries = {}
    for entry in ("\n" + man_section(title)).split("\n.TP\n")[1:]:
        tag, _, text = entry.partition("\n")
        entries[re.sub(r'^\.\w+ |"|\\f.', "", tag)] = text
    return entries


@pytest.mark.parametrize("command", commands())
def test_help_has_what_is_listed(command):
    text = answer(command, "--help")
    assert re.search(r"^  -h, --help ", text, re.MULTILINE) and re.search(r"^  -o[ ,]", text, re.MULTILINE)
    assert [option for option in options(command) if not re.search(rf"^  .*{re.escape(option)}( |$)", text, re.MULTILINE)] == []


def test_list_of_commands_is_that_of_help():
    names = re.findall(r"^  ([a-z]+) ", answer("help").partition("Commands:\n")[2].partition("\n\n")[0], re.MULTILINE)
    assert sorted(names) == sorted([*commands(), "help"])


@pytest.mark.parametrize("command", [name for name in commands() if name != "run"])
def test_options_of_a_command_are_those_of_its_section(command):
    assert written(markdown.section(PAGE, command)) - SHORT == options(command)


def default(command, option):
    """The default that --help states for an option: "20", "bytes"; None: it states none."""
    entry = re.search(rf"^  (?:-\w, )?{re.escape(option)}\s(.*?)(?=^  -|\Z)", answer(command, "--help"), re.MULTILINE | re.DOTALL)
    stated = re.search(r"default: ([^\s,;]+)", entry[1])
    return stated and stated[1]


@pytest.mark.parametrize("command", [name for name in commands() if name != "run"])
def test_defaults_are_those_of_the_help(command):
    wrong = []
    for cells in markdown.rows(markdown.section(PAGE, command)):
        for option in {part for code in re.findall(r"`(-[^`]*)`", cells[0]) for part in code.split(", ")} - SHORT:
            stated = default(command, option)
            if stated is not None and stated not in cells[1].replace("`", ""):
                wrong.append((option, stated, cells[1]))
    assert wrong == []


def test_each_command_has_a_section_and_nothing_else_has():
    titles = [title for level, title in markdown.headings(markdown.section(PAGE, "The commands")) if level == 3]
    assert sorted(titles) == sorted(["Options that several commands share", *(name for name in commands() if name != "run")])


def test_readme_lists_the_commands():
    table = markdown.rows(markdown.section(markdown.read("README.md"), "Reading a trace"))
    assert sorted(cells[0].strip("`") for cells in table) == sorted(commands())


def test_each_export_has_a_section():
    listed = answer("export", "--help").partition("Formats of other tools:\n")[2]
    titles = markdown.headings(markdown.section(markdown.read("docs/formats.md"), "Export"))
    assert re.findall(r"^  (\w+) ", listed, re.MULTILINE) == [title for level, title in titles if level == 3]


def test_shared_options_are_options():
    shared = names_of(written(markdown.section(PAGE, "Options that several commands share")))
    assert shared - SHORT <= names_of(text for command in commands() if command != "run" for text in options(command))


def test_options_of_the_library_are_in_its_table():
    assert {cells[0].strip("`") for cells in library_rows()} == variables()
    for cells in library_rows():
        option = cells[1].strip("`")
        assert option in options("run") and option.split()[0] == option_of(cells[0].strip("`"))


def test_options_of_run_alone_are_in_their_table():
    of_library = {option_of(variable) for variable in variables()}
    alone = {text for text in options("run") if text.split()[0] not in of_library}
    assert written(markdown.section(PAGE, "Options of `vbtrace run` alone")) - {"-h"} == alone


def test_pages_name_no_variable_that_does_not_exist():
    for path in markdown.paths():
        named = set(re.findall(r"\bVBTRACE_[A-Z][A-Z_]*\b", path.read_text()))
        assert named <= variables() | OF_TESTS, path


def test_man_page_has_each_command_with_its_options():
    entries = man_entries("COMMANDS")
    assert sorted(entries) == sorted(commands())
    for command, text in entries.items():
        if command != "run":
            assert names_of([text]) | {"--help"} == names_of(options(command)), command


def test_man_page_explains_each_option():
    shared = set().union(*(names_of(options(command)) for command in commands() if command != "run"))
    assert names_of(man_entries("OPTIONS")) - SHORT | {"--help"} == shared
    text = man_section("OPTIONS OF VBTRACE RUN").replace("--tick ms", "")
    assert names_of([text]) | {"--help"} == names_of(options("run"))


def test_man_page_has_each_variable():
    assert set(man_entries("ENVIRONMENT")) == variables()
