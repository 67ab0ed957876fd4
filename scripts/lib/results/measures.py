"""Numbers of one run that tables and figures share. None where a run does not have them."""
import statistics


def test_acc(run):
    return 100 * run.test["test_acc"]


def test_loss(run):
    return run.test.get("test_loss")


def best(key):
    """The highest value of an epoch, and the epoch, from 1, that reached it first."""
    def find(run):
        lines = [line for line in run.epochs if line.get(key) is not None]
        line = max(lines, key=lambda line: line[key], default=None)
        return (line[key], line["epoch"]) if line else (None, None)
    return find


def last(key):
    """Of the last epoch."""
    return lambda run: run.epochs[-1].get(key)


def router(key):
    return lambda run: run.test.get("router_test_snapshot", {}).get(key)


def minutes(run):
    """Its epochs at their median time: a run that was suspended for an hour did not train for it."""
    seconds = [line.get("seconds") for line in run.epochs]
    return None if None in seconds else len(seconds) * statistics.median(seconds) / 60


def subset(run, name):
    return run.analysis.get("hessian", {}).get("subsets", {}).get(name, {})


def largest_eigenvalue(name):
    return lambda run: max(subset(run, name).get("eigenvalues", []), key=abs, default=None)


def trace(name):
    """By the better estimator that was used."""
    def find(run):
        estimates = subset(run, name).get("trace") or {}
        for method in ("hutch++", "hutchinson"):
            if method in estimates:
                return estimates[method]["mean"]
        return None
    return find


def turned(alphas, losses):
    """A curve along an eigenvector, which has no sign, with its higher end at the right: [(alpha, loss)]."""
    points = sorted(zip(alphas, losses))
    known = [loss for _, loss in points if loss is not None]
    if known and known[0] > known[-1]:
        points = sorted((-alpha, loss) for alpha, loss in points)
    return [(round(alpha, 6) + 0.0, loss) for alpha, loss in points]


def curve(run):
    """Training loss along the first eigenvector of the training pictures, turned; [] where it was not measured."""
    for one in subset(run, "train").get("curves", []):
        if one["direction"] == "eigenvector 1":
            return turned(one["alphas"], one["losses"])
    return []


def efficiency(key):
    return lambda run: run.analysis.get("efficiency", {}).get(key)


def timing(key, engine, dispatch, threads=1, part=None):
    """@param dispatch  None: any, for networks that have nothing to dispatch
    @param part  "head": of the head alone"""
    def find(run):
        where = run.analysis.get("efficiency", {})
        for row in (where.get(part, {}) if part else where).get("rows", []):
            if (row["engine"], row["threads"]) == (engine, threads) and row["dispatch"] in (dispatch, "-"):
                return row.get(key)
        return None
    return find


def specialisation(run):
    """[(layer, numbers)]; layer -1 is a classifier's head."""
    layers = run.analysis.get("routing", {}).get("layers", [])
    return [(layer["layer"], layer["specialisation"]) for layer in layers if layer.get("specialisation")]
