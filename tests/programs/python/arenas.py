"""Objects that come and go, in whole arenas: prints how many KiB of the resident set are mapped as
the library maps its own memory, before, while they live and afterwards."""

import gc


def library_kib():
    total = 0
    with open("/proc/self/smaps") as file:
        for line in file:
            if line.startswith("Rss:"):
                resident = int(line.split()[1])
            elif line.startswith("VmFlags:") and {"nr", "dd"} <= set(line.split()):
                total += resident
    return total


def main():
    figures = [library_kib()]
    numbers = [float(number) for number in range(1_500_000)]
    figures.append(library_kib())
    del numbers
    gc.collect()
    figures.append(library_kib())
    print(*figures)


main()
