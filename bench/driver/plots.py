"""speedup.png of the lab: time, ratio and allocations against the size of the array."""

import matplotlib

matplotlib.use("Agg")  # no display is needed

import matplotlib.pyplot as plt  # noqa: E402

LOOP, CALL, MARK = "#c8553d", "#2d6a8e", "#555555"
NAMES = {"python_loop": "Python loop", "np_sum": "np.sum"}
COLOURS = {"python_loop": LOOP, "np_sum": CALL}


def draw(rows, found, path):
    figure, (time, ratio, allocations) = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    for axes in (time, ratio, allocations):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("elements")
        axes.grid(True, which="major", color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    draw_times(time, rows)
    draw_ratio(ratio, found)
    draw_allocations(allocations, rows)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def series(rows, op, field):
    chosen = sorted((row for row in rows if row["op"] == op), key=lambda row: row["size"])
    return [row["size"] for row in chosen], [row[field] for row in chosen]


def draw_times(axes, rows):
    axes.set_title("Time of a call")
    axes.set_yscale("log")
    for op, name in NAMES.items():
        sizes, times = series(rows, op, "mean_time_ns")
        _, deviations = series(rows, op, "std_time_ns")
        shown = [min(deviation, 0.9 * time) for deviation, time in zip(deviations, times)]  # a bar down to 0 cannot be drawn on a log axis
        axes.errorbar(
            sizes,
            [time / 1e3 for time in times],
            [one / 1e3 for one in shown],
            marker="o",
            markersize=3.5,
            color=COLOURS[op],
            label=name,
        )
    axes.set_ylabel("µs, mean ± standard deviation")
    axes.legend(frameon=False)


def draw_ratio(axes, found):
    axes.set_title("How many times slower the loop is")
    axes.set_ylabel("t(Python loop) / t(np.sum)")
    axes.plot(found.sizes, found.ratios, marker="o", markersize=3.5, color=LOOP)
    axes.set_ylim(0, 1.15 * max(*found.ratios, found.plateau))
    axes.axhline(found.plateau, color=MARK, linestyle="--", linewidth=1)
    axes.annotate(
        f"plateau {found.plateau:.0f}×", (found.sizes[0], found.plateau), xytext=(22, 4), textcoords="offset points", color=MARK
    )
    if found.crossover is not None:
        axes.axvline(found.crossover, color=MARK, linestyle="--", linewidth=1)
        label, at = f"crossover at {found.crossover:.0f} elements", found.crossover
    else:
        least = min(found.ratios)
        label, at = (
            f"no crossover: the ratio is {'at least' if least >= 1 else 'at most'} "
            f"{least if least >= 1 else max(found.ratios):.1f}",
            found.sizes[0],
        )
    axes.annotate(label, (at, 0), xytext=(5, 6), textcoords="offset points", color=MARK, rotation=90, va="bottom")


def draw_allocations(axes, rows):
    axes.set_title("Allocations an element")
    axes.set_yscale("log")
    axes.set_ylabel("allocations / elements")
    for op, name in NAMES.items():
        sizes, counts = series(rows, op, "allocs_per_element")
        axes.plot(sizes, counts, marker="o", markersize=3.5, color=COLOURS[op], label=name)
        end = f"{counts[-1]:.3f}" if counts[-1] >= 0.001 else f"{counts[-1]:.1e}"
        axes.annotate(
            end,
            (sizes[-1], counts[-1]),
            xytext=(-9, -3 if op == "np_sum" else 6),
            textcoords="offset points",
            ha="right",
            color=COLOURS[op],
        )
    axes.legend(frameon=False)
