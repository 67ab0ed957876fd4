"""The tables of docs/results.md."""
import math
import statistics

from page import table

from . import published
from .measures import (best, curve, efficiency, largest_eigenvalue, last, minutes, router, specialisation, subset, test_acc,
                       test_loss, timing, trace, turned)
from .runs import seeds_text

CONTESTANTS = (("libtorch", "onehot", "LibTorch, as published"), ("libtorch", "index", "LibTorch, by index"),
               ("libtorch", "-", "LibTorch"), ("runtime", "naive", "runtime, naive"), ("runtime", "all", "runtime, all experts"),
               ("runtime", "grouped", "runtime, grouped"))


def spread(values, form="{:.2f}"):
    """Mean, and least to largest where there are several that differ as printed."""
    values = [value for value in values if value is not None and math.isfinite(value)]
    if not values:
        return ""
    text, low, high = (form.format(value) for value in (statistics.fmean(values), min(values), max(values)))
    return text if low == high else f"{text} ({low} to {high})"


def titled(title, header, rows, note="", names=1):
    """A section, or nothing where there are no rows of ours."""
    if not rows:
        return []
    return [f"### {title}", ""] + ([note, ""] if note else []) + table(header, rows, names) + [""]


def si(value):
    for size, letter in ((1e9, " G"), (1e6, " M")):
        if value >= size:
            return f"{value / size:.1f}{letter}"
    return f"{value:,.0f}"


# ---- what was run ------------------------------------------------------------------------------------------------------


def setup_row(group):
    run = group.runs[0]
    train, data = run.config["train"], run.config["data"]
    image = run.config.get("image")
    width = run.config.get("width0") or run.config.get("base_channels")
    size = data.get("train_size") or None
    rate = f"{train['learning_rate']:g}" if train.get("learning_rate") is not None else ""
    seeds = ", ".join(str(one.seed) for one in group.runs)
    parameters = efficiency("parameters")(run) or run.analysis.get("hessian", {}).get("parameters")
    return [group.label, seeds, data.get("name", ""), f"{size:,}" if size else "all", str(image[0] if isinstance(image, list) else image or ""),
            str(width or ""), str(train.get("epochs", "")), f"{train.get('optimizer', '')} {rate}".strip(),
            f"{parameters:,}" if parameters else "", spread(group.values(minutes), "{:.1f}")]


def setup_table(groups):
    return titled("What was run", ["model", "seeds", "data", "training pictures", "pixels a side", "width", "epochs", "optimiser and rate", "parameters",
                                   "minutes a run"], [setup_row(group) for group in groups],
                  "Everything else is in each run's `config.json` under [`results/`](results). Numbers are means over the seeds, with the least and the "
                  "largest in brackets. Minutes: epochs times the median epoch, by the clock, on a machine that other work shared.", names=3)


# ---- heads -------------------------------------------------------------------------------------------------------------


def accuracy_table(heads):
    rows = []
    for group in heads:
        row = [group.ours]
        for key in ("train_acc", "val_acc"):
            found = [pair for pair in map(best(key), group.runs) if pair[0] is not None]
            row += [spread([100 * value for value, _ in found]), spread([epoch for _, epoch in found], "{:.0f}")]
        rows.append(row + [spread(group.values(test_acc)), spread(group.values(test_loss), "{:.3f}")])
        known = published.HEADS.get(group.label)
        if known:
            rows.append([f"{group.label}, published", f"{100 * known['train_acc']:.2f}", str(known["train_epoch"]), f"{100 * known['val_acc']:.2f}",
                         str(known["val_epoch"]), f"{100 * known['test_acc']:.2f}", f"{known['test_loss']:.4f}"])
    return titled("Accuracy (first paper, Table II)", ["head", "max train acc %", "epoch", "max val acc %", "epoch", "test acc %", "test CE"], rows)


def hessian_table(heads):
    rows, pictures = [], set()
    for group in heads:
        done = [run for run in group.runs if "hessian" in run.analysis]
        if not done:
            continue
        pictures |= {subset(run, name).get("pictures") for run in done for name in ("train", "test")}
        row = [f"{group.label}, ours, {seeds_text(done)}"]
        for name in ("train", "test"):
            row += [spread(map(largest_eigenvalue(name), done), "{:.1f}"), spread(map(trace(name), done), "{:.0f}")]
        five = [subset(run, "train").get("eigenvalues", []) for run in done]
        rows.append(row + [" ".join(f"{statistics.fmean(values):.1f}" for values in zip(*five))])
        known = published.HEADS.get(group.label)
        if known:
            rows.append([f"{group.label}, published"] + [text for name in ("train", "test") for text in (
                f"{known[f'eigenvalues_{name}'][0]:.2f}", f"{known[f'trace_{name}']:.2f}")]
                + [" ".join(f"{value:.2f}" for value in known["eigenvalues_train"])])
    sizes = " or ".join(f"{size:,}" for size in sorted(filter(None, pictures)))
    return titled("Curvature of the loss (first paper, Table III)",
                  ["head", "lambda_max train", "trace train", "lambda_max test", "trace test", "five eigenvalues, train, means"], rows,
                  f"Of {sizes} pictures of each set, where the published figures are of 1,000; by Lanczos and, for the trace, Hutch++ "
                  "([how](analysis.md)). lambda_max is the eigenvalue of the largest magnitude.")


TABLE_ALPHAS = (-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5)


def curve_table(heads):
    columns = {}
    for group in heads:
        curves = [dict(points) for points in map(curve, group.runs) if points]
        if not curves:
            continue
        columns[f"{group.label}, ours"] = [spread([one.get(alpha) for one in curves], "{:.3g}") for alpha in TABLE_ALPHAS]
    if not columns:
        return []
    for head, known in published.HEADS.items():
        points = dict(turned(known["curve_alphas"], known["curve_losses"]))
        columns[f"{head}, published"] = [f"{points[alpha]:.3g}" for alpha in TABLE_ALPHAS]
    rows = [[f"{alpha:g}", *(column[i] for column in columns.values())] for i, alpha in enumerate(TABLE_ALPHAS)]
    return titled("Loss along the first eigenvector (first paper, figure)", ["alpha", *columns], rows,
                  "Mean cross-entropy on the training subset at theta + alpha v. An eigenvector has no sign: every curve is turned so that its higher "
                  "end is at 0.5 (the published one of the sparse head is printed the other way round).", names=0)


def utilisation_table(heads):
    def row(name, utilisation, entropy, load):
        return [name, " ".join(f"{value:.3f}" for value in utilisation), f"{entropy:.3f}", " ".join(f"{value:.3f}" for value in load or [])]

    rows = []
    for group in heads:
        for run in group.runs:
            if "util_test_snapshot" in run.test:
                rows.append(row(f"{group.label}, seed {run.seed}", run.test["util_test_snapshot"], run.test["entropy_test_snapshot"],
                                run.test.get("load_test_snapshot")))
    if rows:
        rows += [row(f"{head}, published", known["utilisation"], known["entropy"], known.get("load"))
                 for head, known in published.HEADS.items() if "utilisation" in known and head in {group.label for group in heads}]
    return titled("Routing of the test set (first paper, figures)", ["head", "utilisation of the experts", "entropy, nats", "load"], rows)


def specialisation_table(groups):
    rows = []
    for group in groups:
        layers = {}
        for run in group.runs:
            for layer, found in specialisation(run):
                layers.setdefault(layer, []).append(found)
        for layer, found in sorted(layers.items()):
            column = lambda key, form: spread([one.get(key) for one in found], form)
            rows.append([group.label, "head" if layer < 0 else str(layer), str(len(found)), column("mutual_information_bits", "{:.3f}"),
                         column("of_at_most", "{:.2f}"), column("chance_mean", "{:.3f}"), column("p_value", "{:.3g}")])
    return titled("Do experts specialise on classes?", ["model", "layer", "runs", "bits", "of at most", "by chance", "p"], rows,
                  "Mutual information between a picture's class and its (first) expert over the test set, against the same with labels permuted.")


def speed_rows(group, part):
    rows = []
    for threads in sorted({row["threads"] for one in group.analysed("efficiency") for row in one["rows"]}):
        for engine, dispatch, name in CONTESTANTS:
            of = lambda key: group.values(lambda run: exact_timing(run, key, engine, dispatch, threads, part))
            if of("mean_ms"):
                where = "head alone" if part else "network"
                rows.append([group.label, where, name, str(threads), str(batch_of(group)), spread(of("mean_ms")), spread(of("std_ms")),
                             spread(of("median_ms")), spread(of("images_per_s"), "{:,.0f}"), spread(of("peak_mib"), "{:.0f}")])
    return rows


def exact_timing(run, key, engine, dispatch, threads, part):
    found = timing("dispatch", engine, dispatch, threads, part)(run)
    return timing(key, engine, dispatch, threads, part)(run) if shown_as(engine, found) == (engine, dispatch) else None


def shown_as(engine, dispatch):
    """A network without routing has nothing to dispatch: its runtime row stands with grouped."""
    return engine, "grouped" if engine == "runtime" and dispatch == "-" else dispatch


def batch_of(group):
    return group.analysed("efficiency")[0]["rows"][0]["batch"]


def head_speed_table(heads):
    rows = []
    for group in heads:
        for part in (None, "head"):
            rows += speed_rows(group, part)
        known = published.HEADS.get(group.label)
        for timed in known["timings"] if known and group.analysed("efficiency") else []:
            peak = f"{known['peak_mib']:.0f}" if timed["device"] != "CPU" else ""
            rows.append([f"{group.label}, published", "network", f"PyTorch, {timed['device']}", "", str(timed["batch"]), f"{timed['mean_ms']:.2f}", "", "",
                         f"{timed['images_per_s']:,}", peak])
    return titled("Speed (first paper, Table IV)", ["head", "what", "engine", "threads", "batch", "mean ms", "std ms", "median ms", "images/s", "peak MiB"], rows,
                  "The network of width 8 here, 64 there, so only ratios within a column of one source compare. Peak memory: weights and what a forward "
                  "pass adds ([how](analysis.md)); published: of the GPU.", names=3)


# ---- patch networks ----------------------------------------------------------------------------------------------------


def patch_table(patches):
    rows = []
    for group in patches:
        of = lambda key, form="{:.2f}": spread(group.values(router(key)), form)
        rows.append([group.ours, spread(group.values(test_acc), "{:.1f}"), spread(group.values(test_loss)),
                     spread([100 * value for value in group.values(last("train_acc"))], "{:.1f}"), of("spec_entropy_mean"), of("entropy_norm_mean"),
                     of("imbalance_mean"), of("drop_rate"), of("mean_capacity_ratio_mean")])
        known = published.PATCHES.get(group.label)
        if known:
            number = lambda key: f"{known[key]:.2f}" if key in known else ""
            rows.append([f"{group.label}, published", f"{100 * known['top1']:.2f}", number("val_loss"), "", number("spec_entropy"),
                         number("entropy_norm"), number("imbalance"), number("drop_rate"), number("capacity_ratio")])
    return titled("Accuracy and routing (second paper, both tables)", ["model", "top-1 %", "cross-entropy", "training top-1 %", "spec_entropy", "entr_norm",
                                                                      "imbalance", "drop_rate", "cap_ratio"], rows)


def time_of(group, engine, dispatch):
    """"1.50 (0.12)": mean over the seeds of mean and standard deviation."""
    of = lambda key: group.values(lambda run: exact_timing(run, key, engine, dispatch, 1, None))
    return f"{statistics.fmean(of('mean_ms')):.2f} ({statistics.fmean(of('std_ms')):.2f})" if of("mean_ms") else ""


def patch_speed_table(patches):
    rows, names = [], [(engine, dispatch, name) for engine, dispatch, name in CONTESTANTS]
    for group in patches:
        if not group.analysed("efficiency"):
            continue
        size = [si(value) if value else "" for value in (group.mean(efficiency(key)) for key in ("parameters", "active_parameters", "multiply_adds"))]
        rows.append([f"{group.label}, ours", *size, spread([100 * value for value in group.values(efficiency("accuracy"))], "{:.1f}")]
                    + [time_of(group, engine, dispatch) for engine, dispatch, _ in names] + [""])
        known = published.PATCHES.get(group.label)
        if known:
            size = si(known["parameters"]) if "parameters" in known else ""
            rows.append([f"{group.label}, published", size, "", "", f"{100 * known['subset_top1']:.2f}"] + [""] * len(names)
                        + [f"{known['latency_ms']:.2f} ({known['latency_std_ms']:.2f})"])
    used = [i for i in range(5 + len(names) + 1) if any(row[i] for row in rows)]
    header = ["model", "parameters", "on one path", "multiply-adds", "subset top-1 %", *(f"{name}, ms (std)" for _, _, name in names), "published, ms (std)"]
    return titled("Time of one picture (second paper, second table)", [header[i] for i in used], [[row[i] for i in used] for row in rows],
                  "One picture at a time, one thread, means over pictures, then over seeds; accuracy on the pictures that were timed. The device of the "
                  "published times is not stated.")
