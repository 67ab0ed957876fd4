"""The figures of docs/results.md. Every title is computed from what the figure shows."""
import math
import statistics

from charts import (DotPanel, DotRow, HeatPanel, LinePanel, Picture, Series, add_rows, finite)
from ticks import Axis

from . import published
from .measures import (curve, efficiency, largest_eigenvalue, last, router, subset, test_acc, test_loss, timing, trace, turned)
from .runs import seeds_text

PUBLISHED_NOTE = "dashed, hollow: published"


class Figure:
    """A file of docs/images and where it stands; `picture` is None where the runs have no data for it."""

    def __init__(self, name, what, needs, picture):
        self.file, self.what, self.needs, self.picture = f"results-{name}.svg", what, needs, picture

    def markdown(self):
        return [f"![{self.picture.title}](images/{self.file})", ""] if self.picture else []


# ---- common ------------------------------------------------------------------------------------------------------------


def mean_line(group, label, xs, rows, marks=False):
    """Mean of the seeds' `rows` (lists as long as xs), with a band from the least to the largest."""
    columns = [[row[i] for row in rows if finite(row[i])] for i in range(len(xs))]
    mean = [statistics.fmean(column) if column else None for column in columns]
    if len(rows) < 2:
        return Series(label, group.colour, xs, mean, marks=marks)
    low, high = ([pick(column) if column else None for column in columns] for pick in (min, max))
    return Series(label, group.colour, xs, mean, low, high, marks=marks)


def epochs_line(group, value):
    """@param value  of a line of metrics.jsonl; over the epochs that all seeds have"""
    rows = [[value(line) for line in run.epochs] for run in group.runs]
    count = min(map(len, rows))
    xs = [line["epoch"] for line in group.runs[0].epochs[:count]]
    if not any(finite(one) for row in rows for one in row[:count]):
        return None
    return mean_line(group, group.label, xs, [row[:count] for row in rows])


def epochs_axis(series):
    values = [x for one in series if not one.published for x in one.xs]
    most = max(values)
    step = max(1, math.ceil(most / 8))
    ticks = sorted({1, *range(step, most + 1, step)} - ({step} if step == 2 else set()) | {most})
    ticks = [tick for tick in ticks if tick == most or most - tick >= step / 2]
    return Axis("epoch", [1, most], tight=True, ticks=ticks, texts=[str(tick) for tick in ticks])


def cut(series, most):
    """A published line as far as ours go."""
    keep = [i for i, x in enumerate(series.xs) if x <= most]
    series.xs, series.ys = [series.xs[i] for i in keep], [series.ys[i] for i in keep]
    return series


def y_axis(name, series, **options):
    return Axis(name, [value for one in series for value in one.values()], **options)


def legend_of(series):
    entries, seen = [], set()
    for one in sorted(series, key=lambda one: (one.published, one.colour)):
        if (one.label, one.published) not in seen:
            seen.add((one.label, one.published))
            entries.append((one.label, one.colour, one.published))
    return entries


def seeds(groups):
    return [len(group.runs) for group in groups]


def seeds_note(counts):
    """@param counts  how many seeds each line is of"""
    counts = sorted(set(counts))
    text = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    if counts[-1] == 1:
        return "one seed each"
    return f"{text} seeds each: their mean, with a band from the least to the largest"


def ranked(groups, value, largest_first=True):
    """[(group, mean, values)] of the groups that have a value."""
    found = [(group, group.mean(value), group.values(value)) for group in groups if group.values(value)]
    return sorted(found, key=lambda one: one[1], reverse=largest_first)


def first_and_last(groups, value, form, what):
    """"dense 56.4 %, hard 37.2 %" with what the seeds say of the order."""
    order = ranked(groups, value)
    if len(order) == 1:
        return f"{what}: {order[0][0].label} {form.format(order[0][1])}"
    first, second, worst = order[0], order[1], order[-1]
    text = f"{what}: {first[0].label} leads with {form.format(first[1])}"
    if min(first[2]) <= max(second[2]) and len(first[2]) > 1 and len(second[2]) > 1:
        text += f", within its seeds' spread of {second[0].label} ({form.format(second[1])})"
    elif len(first[2]) == 1 or len(second[2]) == 1:
        text += f" before {second[0].label} ({form.format(second[1])}), of one seed"
    return text if worst[0] is second[0] else text + f"; {worst[0].label} is last with {form.format(worst[1])}"


# ---- training ----------------------------------------------------------------------------------------------------------

QUANTITIES = (("train_acc", "training accuracy", "accuracy, %", 100), ("val_acc", "validation accuracy", "accuracy, %", 100),
              ("train_loss", "training loss", "with routers' terms, nats", 1), ("val_loss", "validation loss", "cross-entropy, nats", 1))


def published_history(key, groups, factor=1):
    """Dashed lines, in the colours of ours, of what the first paper's repository has."""
    series = []
    for group in groups:
        history = published.HEADS.get(group.label, {}).get(f"history_{key}")
        if history:
            series.append(Series(f"{group.label}, published", group.colour, list(range(1, len(history) + 1)),
                                 [factor * value for value in history], published=True))
    return series


def training_figure(name, groups, validation):
    panels, every = [], []
    for key, heading, unit, factor in QUANTITIES:
        scaled = lambda line: None if line.get(key) is None else factor * line[key]
        series = [one for one in (epochs_line(group, scaled) for group in groups) if one]
        if not series:
            continue
        most = max(x for one in series for x in one.xs)
        series += [cut(one, most) for one in published_history(key, groups, factor)]
        panels.append(LinePanel(heading.replace("validation", validation), epochs_axis(series), y_axis(unit, series), series))
        every += series
    picture = None
    if panels:
        title = first_and_last(groups, lambda run: None if last("val_acc")(run) is None else 100 * last("val_acc")(run), "{:.1f} %",
                               f"Accuracy on the {validation} pictures after the last epoch")
        dashed = f"; {PUBLISHED_NOTE} ({published.HEADS_SIZE}), as far as ours go" if any(one.published for one in every) else ""
        picture = Picture(title, seeds_note(seeds(groups)) + dashed)
        picture.legend(legend_of(every))
        add_rows(picture, panels, 2, 270)
    return Figure(name, "training curves", "runs", picture)


# ---- experts of the heads ----------------------------------------------------------------------------------------------


def expert_panels(groups, key, unit):
    """A panel for each head's first seed, then the published ones; a line for each expert."""
    panels = []
    for group in groups:
        run = group.runs[0]
        lines = [line for line in run.epochs if line.get(key)]
        if lines:
            panels.append((f"{group.label}, ours, seed {run.seed}", [line["epoch"] for line in lines], [line[key] for line in lines]))
    if panels:
        for head, known in published.HEADS.items():
            history = known.get({"util": "history_utilisation", "load": "history_load"}[key])
            if history:
                panels.append((f"{head}, published", list(range(1, len(history) + 1)), history))
    top = max((100 * value for _, _, rows in panels for row in rows for value in row), default=1)
    made = []
    for heading, xs, rows in panels:
        experts = [Series(f"expert {e}", e, xs, [100 * row[e] for row in rows]) for e in range(len(rows[0]))]
        even = 100 * statistics.fmean(sum(row) for row in rows) / len(rows[0])
        made.append(LinePanel(heading, epochs_axis(experts), Axis(unit, [0, top], count=5), experts, even))
    return made


def experts_figure(name, groups, key, what, unit):
    panels = expert_panels(groups, key, unit)
    picture = None
    if panels:
        least = []
        for group in groups:
            values = group.values(lambda run: 100 * min(run.epochs[-1][key]) if run.epochs[-1].get(key) else None)
            if values:
                least.append(f"{group.label} {statistics.fmean(values):.1f} %")
        picture = Picture(f"{what} in training, of the least used expert after the last epoch: " + ", ".join(least),
                          "A line for each expert of the first seed; dashed: an even share. As published, over the training pictures, with noise and "
                          "dropout. The title's figures are means over the seeds.")
        count = max(len(panel.series) for panel in panels)
        picture.legend([(f"expert {e}", e, False) for e in range(count)])
        add_rows(picture, panels, 3, 250)
    return Figure(name, f"{what.lower()} by epoch", "runs of routed heads", picture)


def entropy_figure(groups):
    series = [one for one in (epochs_line(group, lambda line: line.get("entropy")) for group in groups) if one]
    picture = None
    if series:
        most = max(x for one in series for x in one.xs)
        known = [cut(one, most) for one in published_history("entropy", groups)]
        experts = max(run.config.get("num_experts", 1) for group in groups for run in group.runs)
        ends = ", ".join(f"{one.label} {one.ys[-1]:.2f}" for one in series if finite(one.ys[-1]))
        picture = Picture(f"Entropy of the gate after the last epoch, of at most {math.log(experts):.2f} nats: {ends}",
                          f"Mean over the training pictures; {seeds_note(seeds(groups))}; dashed across: all {experts} experts alike" +
                          (f"; {PUBLISHED_NOTE}, as far as ours go" if known else ""))
        picture.legend(legend_of(series + known))
        axis = y_axis("entropy, nats", series + known, zero=True)
        axis = Axis("entropy, nats", [0, math.log(experts), axis.hi])
        add_rows(picture, [LinePanel("gate entropy by epoch", epochs_axis(series), axis, series + known, math.log(experts))], 1, 270)
    return Figure("heads-entropy", "entropy of the gate by epoch", "runs of routed heads", picture)


def shares_figure(groups):
    """Utilisation of the test set, the experts ordered by it: an expert's number means nothing across seeds."""
    ordered = lambda shares: sorted((100 * share for share in shares), reverse=True)
    series, least = [], []
    for group in groups:
        rows = [ordered(run.test["util_test_snapshot"]) for run in group.runs if run.test.get("util_test_snapshot")]
        if not rows:
            continue
        series.append(mean_line(group, group.label, list(range(1, len(rows[0]) + 1)), rows, marks=True))
        dead = statistics.fmean(sum(share < 0.05 for share in row) for row in rows)
        least.append(f"{group.label} {dead:.1f}")
    picture = None
    if series:
        for group in groups:
            known = published.HEADS.get(group.label, {}).get("utilisation")
            if known:
                series.append(Series(f"{group.label}, published", group.colour, list(range(1, len(known) + 1)), ordered(known), published=True, marks=True))
        count = max(len(one.xs) for one in series)
        ticks = list(range(1, count + 1))
        picture = Picture(f"Of {count} experts so many have less than 0.05 % of the test set, mean over the seeds: " + ", ".join(least),
                          f"Utilisation: mean mixture weight over the test pictures, by the kept weights; {seeds_note(seeds(groups))}; {PUBLISHED_NOTE}; dashed across: an even share")
        picture.legend(legend_of(series))
        axis = Axis("expert, from the most to the least used", ticks, tight=True, ticks=ticks, texts=[str(tick) for tick in ticks])
        add_rows(picture, [LinePanel("utilisation of the test set", axis, y_axis("share, %", series, zero=True), series, 100 / count)], 1, 280)
    return Figure("heads-shares", "utilisation of the test set", "runs of routed heads", picture)


def class_figure(groups):
    panels, top = [], []
    for group in groups:
        run = group.runs[0]
        matrix = run.test.get("class_expert_mean")
        if matrix:
            names = run.config.get("class_names") or [str(i) for i in range(len(matrix))]
            panels.append(heat_panel(f"{group.label}, ours, seed {run.seed}", names, matrix))
            share = [statistics.fmean(map(max, one.test["class_expert_mean"])) for one in group.runs if one.test.get("class_expert_mean")]
            top.append(f"{group.label} {100 * statistics.fmean(share):.0f} %")
    picture = None
    if panels:
        for head, known in published.HEADS.items():
            if "class_expert" in known:
                panels.append(heat_panel(f"{head}, published", known["class_names"], known["class_expert"]))
                top.append(f"{head}, published, {100 * statistics.fmean(map(max, known['class_expert'])):.0f} %")
        picture = Picture("Weight of a class's strongest expert, mean over the classes: " + "; ".join(top),
                          "Mean mixture weights of a class's test pictures in percent, below half a percent left blank. Ours of the first seed; the "
                          "title's figures of ours are means over the seeds.")
        add_rows(picture, panels, 3, HeatPanel.height(max(len(panel.rows) for panel in panels)))
    return Figure("heads-classes", "class-by-expert maps", "runs of routed heads", picture)


def heat_panel(heading, names, matrix):
    return HeatPanel(heading, names, [str(e) for e in range(len(matrix[0]))], matrix, "expert")


# ---- curvature ---------------------------------------------------------------------------------------------------------


def short(value):
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def dot_rows(groups, value, known_value):
    rows = []
    for group in groups:
        values = group.values(value)
        if values:
            rows.append(DotRow(group.label, group.colour, values, short(statistics.fmean(values))))
        known = published.HEADS.get(group.model)
        if values and known:
            rows.append(DotRow(f"{group.model}, published", group.colour, [known_value(known)], short(known_value(known)), published=True))
    return rows


def curvature_figure(groups, suffix=""):
    panels, orders = [], []
    for name, what, value, known_value in (
            ("train", "largest eigenvalue, training pictures", largest_eigenvalue("train"), lambda known: known["eigenvalues_train"][0]),
            ("test", "largest eigenvalue, test pictures", largest_eigenvalue("test"), lambda known: known["eigenvalues_test"][0]),
            ("train", "trace, training pictures", trace("train"), lambda known: known["trace_train"]),
            ("test", "trace, test pictures", trace("test"), lambda known: known["trace_test"])):
        rows = dot_rows(groups, value, known_value)
        if rows:
            every = [one for row in rows for one in row.values]
            panels.append(DotPanel(what, Axis("of the Hessian, logarithmic" if min(every) > 0 else "of the Hessian", every, log=min(every) > 0, count=5), rows))
            orders.append((what, ranked(groups, value)))
    picture = None
    if panels:
        what, order = orders[0]
        text = ", ".join(f"{group.label} {short(mean)}" for group, mean, _ in order)
        known = sorted(published.HEADS.items(), key=lambda item: -item[1]["eigenvalues_train"][0])
        theirs = ", ".join(f"{head} {short(model['eigenvalues_train'][0])}" for head, model in known)
        picture = Picture(f"{what[0].upper()}{what[1:]}, the largest mean first: {text}. Published: {theirs}",
                          "Small dots: seeds; large: their mean; hollow: published (1,000 pictures of each set).")
        add_rows(picture, panels, 2, DotPanel.height(max(len(panel.rows) for panel in panels)))
    return Figure(f"heads-curvature{suffix}", "largest eigenvalue and trace of the Hessian", "`trainer analyze RUN hessian`", picture)


def loss_along_figure(groups):
    ours, rises, counts = [], [], []
    for group in groups:
        curves = [dict(points) for points in map(curve, group.runs) if points]
        if not curves:
            continue
        xs = sorted(set.intersection(*map(set, curves)))
        counts.append(len(curves))
        ours.append(mean_line(group, group.label, xs, [[one[x] for x in xs] for one in curves]))
        rise = [one[xs[-1]] - one.get(0.0, min(filter(finite, one.values()))) for one in curves if finite(one[xs[-1]])]
        if rise:
            rises.append(f"{group.label} {statistics.fmean(rise):.3g}")
    picture = None
    if ours:
        theirs = []
        for head, known in published.HEADS.items():
            colour = next((group.colour for group in groups if group.model == head), len(theirs))
            points = turned(known["curve_alphas"], known["curve_losses"])
            theirs.append(Series(f"{head}, published", colour, [x for x, _ in points], [y for _, y in points], published=True))
        reach = max(one.xs[-1] for one in ours)
        picture = Picture(f"A step of {reach:g} along the first eigenvector raises the training loss by, in nats: " + ", ".join(rises),
                          f"Unit eigenvector of the training pictures' Hessian, each curve turned so that its higher end is right; {seeds_note(counts)}")
        picture.legend(legend_of(ours + theirs))
        axis = lambda series: Axis("step alpha along the eigenvector", [x for one in series for x in one.xs], tight=True, count=5)
        panels = [LinePanel(heading, axis(series), y_axis("cross-entropy, nats", series, log=True), series)
                  for heading, series in (("ours", ours), ("published", theirs))]
        add_rows(picture, panels, 2, 290)
    return Figure("heads-eigenvector", "loss along the first eigenvector", "`trainer analyze RUN hessian`", picture)


DENSITY_FLOOR = 1e-6  # of a curve's maximum: below lies nothing but the Gaussians' tails


def density_series(group, name):
    run = next((run for run in group.runs if subset(run, name).get("density", {}).get("lambda")), None)
    if not run:
        return None
    found = subset(run, name)["density"]
    floor = DENSITY_FLOOR * max(filter(finite, found["density"]))
    ys = [y if finite(y) and y > floor else None for y in found["density"]]
    return Series(group.label, group.colour, found["lambda"], ys)


def density_figure(groups):
    panels, near = [], []
    for name, heading in (("train", "training pictures"), ("test", "test pictures")):
        series = [one for one in (density_series(group, name) for group in groups) if one]
        if not series:
            continue
        shown = [x for one in series for x, y in zip(one.xs, one.ys) if y]
        panels.append(LinePanel(heading, Axis("eigenvalue", shown, tight=True, count=6), y_axis("density", series, log=True), series))
        if name == "train":
            near = [f"{one.label} {share_near_zero(one):.1f} %" for one in series]
    picture = None
    if panels:
        picture = Picture("Share of the spectrum within a twentieth of its largest eigenvalue around 0: " + ", ".join(near),
                          "Spectral density of the Hessian by stochastic Lanczos quadrature, first seed that has one; each node a Gaussian a hundredth of "
                          "the spectrum wide. The title is about the training pictures. Nothing is published: the first paper's was skipped.")
        picture.legend(legend_of([one for panel in panels for one in panel.series]))
        add_rows(picture, panels, 2, 270)
    return Figure("heads-density", "spectral density of the Hessian", "`trainer analyze RUN hessian`", picture)


def share_near_zero(series):
    points = [(x, y) for x, y in zip(series.xs, series.ys) if y]
    reach = max(abs(x) for x, _ in points) / 20
    return 100 * sum(y for x, y in points if abs(x) <= reach) / sum(y for _, y in points)


# ---- speed -------------------------------------------------------------------------------------------------------------

ENGINES = (("LibTorch", "libtorch", "-"), ("LibTorch, as published", "libtorch", "onehot"), ("LibTorch, by index", "libtorch", "index"),
           ("runtime, naive", "runtime", "naive"), ("runtime, all experts", "runtime", "all"), ("runtime, grouped", "runtime", "grouped"))


def head_rows(groups, part):
    rows = []
    for group in groups:
        for colour, (name, engine, dispatch) in ((0, ENGINES[0]), (1, ENGINES[5])):
            values = group.values(timing("mean_ms", engine, dispatch, 1, part))
            if values:
                rows.append(DotRow(f"{group.label}, {name.split(',')[0]}", colour, values, f"{statistics.fmean(values):.3g}"))
    return rows


def head_speed_figure(groups):
    panels = []
    for part, heading in ((None, "whole network"), ("head", "head alone")):
        rows = head_rows(groups, part)
        if rows:
            panels.append(DotPanel(heading, Axis("ms a batch of 32, one thread", [v for row in rows for v in row.values], zero=True, count=5), rows))
    picture = None
    if panels:
        ratios = []
        for group in groups:
            theirs, ours = group.mean(timing("mean_ms", "libtorch", "-")), group.mean(timing("mean_ms", "runtime", "grouped"))
            if theirs and ours:
                ratios.append(f"{group.label} {theirs / ours:.2f}")
        picture = Picture("LibTorch's time over that of our runtime, whole network on one thread: " + ", ".join(ratios),
                          "Published protocol: batches of 32 on the CPU. Small dots: seeds; large: their mean. The runtime groups tokens by expert.")
        add_rows(picture, panels, 2, DotPanel.height(max(len(panel.rows) for panel in panels)))
    return Figure("heads-speed", "time of the heads", "`trainer analyze RUN efficiency`", picture)


# ---- patch networks ----------------------------------------------------------------------------------------------------


def sizes(groups):
    """The plain networks by their number of experts: no ablations, no second configuration."""
    return {group.runs[0].config["num_experts"]: group for group in groups if group.model == group.label and group.label.startswith("E = ")
            and "," not in group.label}


def by_size(label, colour, groups, value):
    """A line over E, with a band over the seeds; None where no network has a value."""
    found = [(E, group.values(value)) for E, group in sorted(groups.items()) if group.values(value)]
    if not found:
        return None
    band = any(len(values) > 1 for _, values in found)
    return Series(label, colour, [E for E, _ in found], [statistics.fmean(values) for _, values in found],
                  [min(values) for _, values in found] if band else None, [max(values) for _, values in found] if band else None, marks=True)


def published_by_size(label, colour, key, factor=1):
    found = [(model["experts"], factor * model[key]) for model in published.PATCHES.values() if model["experts"] and key in model]
    return Series(label, colour, [E for E, _ in found], [value for _, value in found], published=True, marks=True)


def size_axis(series):
    ticks = sorted({x for one in series for x in one.xs})
    return Axis("experts E", ticks, log=True, tight=True, ticks=ticks, texts=[str(tick) for tick in ticks])


def flat(label, colour, value, xs, is_published=False):
    """A level that does not depend on E."""
    return Series(label, colour, [min(xs), max(xs)], [value, value], published=is_published)


def size_series(groups, value, key, factor=1):
    plain = sizes(groups)
    ours = by_size("ours", 0, plain, value)
    if not ours:
        return []
    series = [ours, published_by_size("published", 0, key, factor)]
    xs = [x for one in series for x in one.xs]
    dense = next((group for group in groups if group.label == "ResNet-18"), None)
    if dense and dense.values(value):
        series.append(flat("ResNet-18, ours", 1, dense.mean(value), xs))
    known = published.PATCHES["ResNet-18"]
    if key in known:
        series.append(flat("ResNet-18, published", 1, factor * known[key], xs, True))
    return series


def size_figure(groups):
    panels, every = [], []
    for heading, unit, value, key, factor in (
            ("accuracy", "top-1, %", test_acc, "top1", 100), ("loss", "cross-entropy, nats", test_loss, "val_loss", 1),
            ("how undecided the routers are", "spec_entropy", router("spec_entropy_mean"), "spec_entropy", 1),
            ("how uneven the experts' loads are", "imbalance, most over least", router("imbalance_mean"), "imbalance", 1)):
        series = size_series(groups, value, key, factor)
        if series:
            panels.append(LinePanel(heading, size_axis(series), y_axis(unit, series, log=key == "imbalance"), series))
            every += series
    picture = None
    if panels:
        order = ranked(sizes(groups).values(), test_acc)
        text = ", ".join(f"{group.label} {mean:.1f} %" for group, mean, _ in order)
        theirs = sorted((model for model in published.PATCHES.values() if model["experts"]), key=lambda model: -model["top1"])
        picture = Picture(f"Top-1 accuracy, best first: {text}. Published: " + ", ".join(f"E = {model['experts']} {100 * model['top1']:.1f} %" for model in theirs),
                          f"{seeds_note(seeds(sizes(groups).values()))}; {PUBLISHED_NOTE} (200 classes, {published.PATCHES_SIZE})")
        picture.legend(legend_of(every))
        add_rows(picture, panels, 2, 270)
    return Figure("patches-experts", "accuracy against the number of experts", "runs of patch networks", picture)


LAYER_METRICS = (("spec_entropy", "how undecided the router is", "spec_entropy", False), ("entropy_norm", "how even the load is", "entr_norm", False),
                 ("imbalance", "most over least loaded expert", "imbalance", True), ("drop_rate", "patches without an expert", "drop_rate, %", False))


def layer_line(group, key):
    rows = [{layer["layer"]: layer.get(key) for layer in run.test["router_test_snapshot"].get("layers", [])}
            for run in group.runs if run.test.get("router_test_snapshot")]
    rows = [row for row in rows if row]
    if not rows or group.runs[0].config.get("num_experts", 1) < 2:
        return None
    xs = sorted(set.intersection(*map(set, rows)))
    factor = 100 if key == "drop_rate" else 1
    return mean_line(group, group.label, xs, [[None if row[x] is None else factor * row[x] for x in xs] for row in rows], marks=True)


def layers_figure(groups):
    panels, every = [], []
    for key, heading, unit, log in LAYER_METRICS:
        series = [one for one in (layer_line(group, key) for group in groups) if one]
        if not series:
            continue
        layers = sorted({x for one in series for x in one.xs})
        x_axis = Axis("layer", layers, tight=True, ticks=layers, texts=[str(layer) for layer in layers])
        panels.append(LinePanel(heading, x_axis, y_axis(unit, series, log=log, zero=key == "drop_rate", count=5), series))
        every += series
    picture = None
    if panels:
        first = panels[0].series
        rising = [one for one in first if finite(one.ys[0]) and finite(one.ys[-1])]
        text = ", ".join(f"{one.label} {one.ys[0]:.2f} to {one.ys[-1]:.2f}" for one in rising if "," not in one.label)
        picture = Picture(f"spec_entropy from the first to the last MoE layer: {text}", f"Test pictures; {seeds_note(seeds(groups))}. Nothing is published by layer.")
        picture.legend(legend_of(every))
        add_rows(picture, panels, 2, 270)
    return Figure("patches-layers", "router metrics by layer", "runs of patch networks", picture)


def patch_speed_figure(groups):
    plain = sizes(groups)
    series = [by_size(name, colour, plain, timing("mean_ms", engine, dispatch)) for colour, (name, engine, dispatch) in enumerate(ENGINES) if colour]
    series = [one for one in series if one]
    picture = None
    if series:
        known = published_by_size("published", 6, "latency_ms")
        xs = [x for one in series + [known] for x in one.xs]
        for group in groups:
            if group.label == "ResNet-18" and group.values(timing("mean_ms", "runtime", "-")):
                series.append(flat("ResNet-18, runtime", 7, group.mean(timing("mean_ms", "runtime", "-")), xs))
        picture = Picture(speed_title(plain, known), "Mean over pictures, one at a time, one thread; then over seeds. "
                          f"{PUBLISHED_NOTE.capitalize()}, on a device that is not stated (200 classes at 224 x 224, width 64). Logarithmic.")
        picture.legend(legend_of(series + [known]))
        shown = series + [known]
        add_rows(picture, [LinePanel("time of one picture", size_axis(shown), y_axis("ms", shown, log=True), shown)], 1, 330)
    return Figure("patches-speed", "time of one picture", "`trainer analyze RUN efficiency`", picture)


def speed_title(plain, known):
    timed = {E: group.mean(timing("mean_ms", "runtime", "grouped")) for E, group in plain.items()}
    timed = {E: value for E, value in timed.items() if value}
    theirs = dict(zip(known.xs, known.ys))
    shared = timed.keys() & theirs.keys()
    if len(shared) > 1:  # of the same networks, so that the two can be compared
        few, many = min(shared), max(shared)
        return (f"In our runtime {many} experts take {timed[many] / timed[few]:.2f} times as long as {few}; "
                f"published: {theirs[many] / theirs[few]:.2f} times")
    if len(timed) > 1:
        few, many = min(timed), max(timed)
        text = f"In our runtime {many} experts take {timed[many] / timed[few]:.2f} times as long as {few}"
    else:
        text = "Time of one picture" + "".join(f": E = {E} {value:.2f} ms in our runtime" for E, value in timed.items())
    return text + f"; published: {max(theirs)} take {theirs[max(theirs)] / theirs[min(theirs)]:.2f} times as long as {min(theirs)}"
