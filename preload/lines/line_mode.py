"""Runs inside the traced interpreter before its script, as code of "<vbtrace>"; see line_mode.c.

It is given choose(code), which makes line mode follow a code object. What it defines:
    calibrate(n), calibrate_calls(n)  their cost is compared with and without line events
    call_methods()          calls methods of a type written in C by every instruction that the
                            interpreter has for it
    wait()                  a coroutine that call_methods() runs, so that what the interpreter makes
                            the first time exists then
    leave_tool(old, new)    moves events when line mode changes its number in sys.monitoring
"""

import builtins
import sys


class Profile:
    """@profile, as of memory_profiler and line_profiler: decorated functions are followed, and
    otherwise left as they are."""

    theirs = {}  # what it replaces in a package that is installed, by the package's name

    def __init__(self, *functions, **options):
        for function in functions:
            self.add_function(function)

    def __call__(self, function=None, stream=None, *arguments, **options):
        if stream is not None and self.theirs.get("memory_profiler") is not None:  # the program may read what is written there
            if function is not None:
                self.add_function(function)
            return self.theirs["memory_profiler"](function, stream, *arguments, **options)
        if function is None:  # @profile(precision=4)
            return self
        self.add_function(function)
        return function

    def add_function(self, function):
        if isinstance(function, type):
            for member in list(vars(function).values()):
                if hasattr(member, "__code__") or isinstance(member, (staticmethod, classmethod, property)):
                    self.add_function(member)
            return
        if isinstance(function, property):
            for part in (function.fget, function.fset, function.fdel):
                if part is not None:
                    self.add_function(part)
            return
        seen = []
        while function is not None and function not in seen:
            seen.append(function)
            code = getattr(function, "__code__", None)
            if code is not None:
                choose(code)  # noqa: F821
            function = getattr(function, "__func__", None) or getattr(function, "__wrapped__", None) or getattr(function, "func", None)

    add_callable = add_function
    wrap_callable = wrap_function = __call__

    def runcall(self, function, *arguments, **options):
        return self(function)(*arguments, **options)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def nothing(self, *arguments, **options):
        """Starting, stopping, printing and writing: vbtrace does that itself."""

    enable = disable = enable_by_count = disable_by_count = print_stats = dump_stats = show = nothing


profile = Profile()


class Packages:
    """The first finder that imports ask: for memory_profiler and line_profiler. Where they are
    installed, only their profile is replaced; else a module of ours has what scripts use."""

    names = ("memory_profiler", "line_profiler")

    def find_spec(self, name, path=None, target=None):
        if name not in self.names:
            return None
        for finder in list(sys.meta_path):
            spec = finder.find_spec(name, path, target) if finder is not self and hasattr(finder, "find_spec") else None
            if spec is not None:
                self.take_part(spec.loader)
                return spec
        return type(sys.__spec__)(name, self, origin="<vbtrace>") if self.is_needed() else None

    def is_needed(self):
        """Does the program import what we have, or not run without it? A program that only tries to
        import it can do without."""
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        if frame is None:
            return False
        import linecache

        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
        words = line.replace("(", " ").replace(",", " ").split()
        return line.startswith(("import ", "from ")) or words[2:4] == ["import", "profile"]

    def take_part(self, loader):
        """Replaces their profile after the loader has loaded one of them."""
        load = getattr(loader, "exec_module", None)

        def exec_module(module):
            load(module)
            if module.__name__ in self.names and not self.runs_itself():
                profile.theirs[module.__name__] = getattr(module, "profile", None)
                module.profile = profile

        if load is not None:
            loader.exec_module = exec_module

    def runs_itself(self):
        """Did one of them start the program, to measure it itself? (python -m memory_profiler;
        kernprof)"""
        main = sys.modules.get("__main__")
        name = getattr(getattr(main, "__spec__", None), "name", None) or (getattr(main, "__file__", None) or "").rpartition("/")[2]
        return name.partition(".")[0] in self.names or "kernprof" in name or "kernprof" in sys.modules

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.profile = profile
        module.LineProfiler = Profile


monitoring = getattr(sys, "monitoring", None)  # for line_tool.c: leave_tool keeps it
builtins.profile = profile
sys.meta_path.insert(0, Packages())


def calibrate(n):
    a = b = c = d = 0
    while n > 0:
        n -= 1
        a = n
        b = a
        c = b
        d = c
        a = d
        b = a
        c = b
    return d


def called():
    pass


def calibrate_calls(n):
    while n > 0:
        n -= 1
        called()


async def nothing():
    pass


async def wait():
    await nothing()


def call_methods():
    text, expand, arguments = "text", str.expandtabs, ("text",)
    text.expandtabs()
    expand(text)
    expand(text, tabsize=8)
    expand(*arguments)
    expand(*arguments, **{})
    try:
        wait().send(None)
    except StopIteration:
        pass


def move_events(code, old, new):
    events = monitoring.get_local_events(old, code)
    if events:
        monitoring.set_local_events(old, code, 0)
        if new >= 0:
            monitoring.set_local_events(new, code, events)


def leave_tool(old, new, running=None):
    """Requests under the new number what was requested under the old one (new -1: nothing), and
    gives the old number back as it was before. running: does that for this code alone."""
    import gc

    if running is not None:
        return move_events(running, old, new)

    async def coroutine():
        pass

    async def asynchronous():
        yield

    waiting = coroutine()
    waiting.close()
    kinds = (type(leave_tool), "__code__"), (type(_ for _ in ()), "gi_code"), (type(waiting), "cr_code"), (type(asynchronous()), "ag_code")
    found = {}
    for thing in gc.get_objects():
        for kind, attribute in kinds:
            if type(thing) is kind:
                code = getattr(thing, attribute)
                found[id(code)] = code
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        for frame in sys._current_frames().values():
            while frame is not None:
                found[id(frame.f_code)] = frame.f_code
                frame = frame.f_back
    for code in found.values():
        move_events(code, old, new)
    for event in "PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_UNWIND", "PY_YIELD", "LINE", "JUMP":
        monitoring.register_callback(old, getattr(monitoring.events, event), None)
    monitoring.free_tool_id(old)
    monitoring.restart_events()  # the old number's next owner may want events that it had disabled
