"""Run folders of `trainer train` and `trainer analyze`: what docs/results keeps of them, and which belong together."""
import json
import math
import statistics

from pathlib import Path

ANALYSES = ("hessian", "routing", "efficiency")
HEADS = ("dense", "soft", "sparse", "hard")
PATCHES = ("ResNet-18", "E = 1", "E = 4", "E = 8", "E = 16")

# What the tables and figures use; all else of a run folder is left there.
EPOCH_KEYS = ("epoch", "train_loss", "train_acc", "val_loss", "val_acc", "seconds", "util", "entropy", "load")
TEST_KEYS = ("test_loss", "test_acc", "tested_epoch", "util_test_snapshot", "entropy_test_snapshot", "load_test_snapshot",
             "class_expert_mean", "router_test_snapshot")
ROUTER_KEYS = ("spec_entropy_mean", "entropy_norm_mean", "imbalance_mean", "drop_rate", "mean_capacity_ratio_mean")
LAYER_KEYS = ("layer", "spec_entropy", "entropy_norm", "imbalance", "drop_rate")
TIMING_KEYS = ("engine", "dispatch", "threads", "batch", "mean_ms", "std_ms", "median_ms", "images_per_s", "peak_mib")

# Settings that part two models of one name, and how a label says so.
TELLING = (("train.epochs", "{} epochs"), ("data.train_size", "{} training pictures"), ("width0", "width {}"),
           ("base_channels", "width {}"), ("width", "width {} in the head"), ("num_experts", "{} experts"),
           ("hidden_mult", "hidden_mult {}"), ("k", "k = {}"), ("image", "pictures of {}"), ("data.name", "{}"),
           ("train.batch_size", "batch {}"), ("train.learning_rate", "learning rate {}"),
           ("train.milestones", "milestones {}"), ("combine_weight", "combine_weight {}"),
           ("capacity_factor_train", "capacity {}"))


class BadRun(Exception):
    """A run that cannot be shown; the text names file, what was found and what was expected."""


def pick(record, keys):
    return {key: record[key] for key in keys if record.get(key) is not None}


def rounded(value, digits=5):
    """Floats with so many significant digits: more would be noise, and the repository keeps them for good."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, list):
        return [rounded(one, digits) for one in value]
    if isinstance(value, dict):
        return {key: rounded(one, digits) for key, one in value.items()}
    return value


# ---- reading -----------------------------------------------------------------------------------------------------------


def read_json(path):
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise BadRun(f"{path}: {error}; expected JSON") from None


def read_lines(path):
    lines = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        try:
            lines.append(json.loads(text))
        except ValueError as error:
            raise BadRun(f"{path}, line {number}: {error}; expected a JSON object") from None
    return lines


class Run:
    """One folder's contents. Those of training lie beside each other, those of analyses also in analysis/ beneath."""

    def __init__(self, folder):
        folder = Path(folder)
        for name in ("config.json", "metrics.jsonl"):
            if not (folder / name).is_file():
                raise BadRun(f"{folder}: no {name}; expected a run folder of `trainer train`")
        self.folder, self.name = folder, folder.resolve().name
        self.config = read_json(folder / "config.json")
        lines = read_lines(folder / "metrics.jsonl")
        self.epochs = [line for line in lines if "epoch" in line]
        tests = [line for line in lines if "test_acc" in line]
        if not tests or not self.epochs:
            planned = self.config.get("train", {}).get("epochs", "?")
            raise BadRun(f"{folder}: the run is not finished: metrics.jsonl has {len(self.epochs)} of {planned} epochs and "
                         f"{'a' if tests else 'no'} line of the test set")
        self.test = tests[-1]
        self.analysis = {}
        for name in ANALYSES:
            for file in (folder / "analysis" / f"{name}.json", folder / f"{name}.json"):
                if file.is_file():
                    self.analysis[name] = read_json(file)
                    break

    @property
    def is_head(self):
        return self.config.get("kind", "cifar_e2e") == "cifar_e2e"

    @property
    def seed(self):
        return self.config["train"]["seed"]

    @property
    def model(self):
        """What the papers would call it."""
        if self.is_head:
            hard = self.config["head"] == "sparse" and self.config["k"] == 1  # as it is written
            return "hard" if hard else self.config["head"]
        if self.config["kind"] == "resnet18":
            return "ResNet-18"
        name = f"E = {self.config['num_experts']}"
        if set(self.config.get("post_kernel", [3])) == {1}:
            name += ", 1x1 post-block"
        if 1 in self.config.get("expert_kernel", [3]):
            name += ", 1x1 experts in the last layer"
        return name

    def setting(self, key):
        value = self.config
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value


# ---- storing -----------------------------------------------------------------------------------------------------------


def kept_epoch(line):
    return pick(line, EPOCH_KEYS)


def kept_test(line):
    kept = pick(line, TEST_KEYS)
    router = kept.get("router_test_snapshot")
    if router:
        layers = [pick(layer, LAYER_KEYS) for layer in router.get("layers", [])]
        kept["router_test_snapshot"] = {**pick(router, ROUTER_KEYS), "layers": layers}
    return kept


def kept_hessian(analysis):
    subsets = {}
    for name, subset in analysis["subsets"].items():
        kept = pick(subset, ("pictures", "loss", "accuracy", "eigenvalues", "method", "trace"))
        if subset.get("density"):
            density = subset["density"]
            kept["density"] = {**rounded(pick(density, ("lambda", "sigma"))), "density": rounded(density["density"], 3)}
        kept["curves"] = [pick(curve, ("direction", "alphas", "losses")) for curve in subset.get("curves", [])
                          if curve["direction"] == "eigenvector 1"]
        subsets[name] = kept
    return {**pick(analysis, ("routing", "selection", "parameters", "precision")), "subsets": subsets}


def kept_routing(analysis):
    return {"pictures": analysis.get("pictures"),
            "layers": [pick(layer, ("layer", "experts", "tokens", "specialisation")) for layer in analysis["layers"]]}


def kept_efficiency(analysis):
    keys = ("parameters", "active_parameters", "multiply_adds", "f32_mib")
    timings = lambda part: {**pick(part, keys), "rows": [pick(row, TIMING_KEYS) for row in part["rows"]]}
    kept = {**pick(analysis, ("machine", "protocol", "pictures", "accuracy")), **timings(analysis)}
    if analysis.get("head"):
        kept["head"] = timings(analysis["head"])
    return kept


KEPT = {"hessian": kept_hessian, "routing": kept_routing, "efficiency": kept_efficiency}


def store(run, folder):
    """Writes what tables and figures use of `run` to `folder`/NAME, in place of what lay there."""
    target = folder / run.name
    target.mkdir(parents=True, exist_ok=True)
    config = json.loads(json.dumps(run.config))
    config.get("data", {})["path"] = ""  # of whoever ran it
    files = {"config.json": json.dumps(config, indent=1)}
    lines = [kept_epoch(line) for line in run.epochs] + [kept_test(run.test)]
    files["metrics.jsonl"] = "\n".join(json.dumps(rounded(line)) for line in lines)
    for name, analysis in run.analysis.items():
        files[f"{name}.json"] = json.dumps(rounded(KEPT[name](analysis)))
    for old in target.iterdir():
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (target / name).write_text(text + "\n")


# ---- grouping ----------------------------------------------------------------------------------------------------------


class Group:
    """Runs that differ by their seed: one row of the tables, one line of the figures."""

    def __init__(self, runs):
        self.runs = sorted(runs, key=lambda run: (run.seed, run.name))
        self.model = self.label = runs[0].model
        self.colour = 0

    @property
    def ours(self):
        return f"{self.label}, ours, {seeds_text(self.runs)}"

    @property
    def training(self):
        """(planned epochs, training pictures; 0: all)"""
        return self.runs[0].setting("train.epochs"), self.runs[0].setting("data.train_size") or 0

    def analysed(self, name):
        return [run.analysis[name] for run in self.runs if name in run.analysis]

    def values(self, value):
        """Of each run, `value` of which is a number."""
        return [found for found in map(value, self.runs) if found is not None]

    def mean(self, value):
        values = self.values(value)
        return statistics.fmean(values) if values else None


def seeds_text(runs):
    """"3 seeds"; "2 runs" where a seed occurs twice."""
    what = "seed" if len({run.seed for run in runs}) == len(runs) else "run"
    return f"{len(runs)} {what}{'s' if len(runs) > 1 else ''}"


def tidy(value):
    if isinstance(value, list):
        return " x ".join(map(str, value)) if len(set(value)) == 1 else "/".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and value >= 10000 else str(value)


def pictures_seen(training):
    epochs, pictures = training
    return (epochs * pictures if pictures else math.inf, epochs)


def part_of_label(group, setting):
    return json.dumps(group.runs[0].setting(setting))


def most_trained_first(groups):
    """
    @return [groups that trained equally long, on as many pictures]; those of the first, which saw the most pictures, bear their
    models' plain names
    """
    sets = {}
    for group in groups:
        sets.setdefault(group.training, []).append(group)
    ordered = [sets[training] for training in sorted(sets, key=pictures_seen, reverse=True)]
    for members in ordered[:1]:
        for group in members:
            if len({other.label for other in members if other.model == group.model}) == 1:
                group.label = group.model
    for members in ordered:
        for colour, group in enumerate(members):
            group.colour = colour
    return ordered


def grouped(runs, order):
    """Groups in the papers' order; those of one name get what parts them in their labels."""
    parted = {}
    for run in runs:
        key = tuple(json.dumps(run.setting(name)) for name, _ in TELLING)
        parted.setdefault((run.model, key), []).append(run)
    groups = [Group(members) for members in parted.values()]
    for group in groups:
        same = [other for other in groups if other.model == group.model]
        for name, form in TELLING:
            if len({part_of_label(other, name) for other in same}) > 1:
                group.label += ", " + form.format(tidy(group.runs[0].setting(name)))
                same = [other for other in same if part_of_label(other, name) == part_of_label(group, name)]
    groups.sort(key=lambda group: (order.index(group.model) if group.model in order else len(order), group.label))
    for index, group in enumerate(groups):
        group.colour = index
    return groups
