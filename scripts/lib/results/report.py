"""The measured part of docs/results.md, and its figures."""
from . import figures, tables
from .runs import HEADS, PATCHES, grouped, most_trained_first

COMMON_PREFIX = "results-"  # of the figures' files; nothing else in docs/images begins so


def heads_section(heads):
    """[lines or Figure], in order."""
    routed = [group for group in heads if group.model != "dense"]
    return [
        "## CIFAR-10 heads", "",
        *tables.setup_table(heads),
        figures.training_figure("heads-training", heads, "validation"), *tables.accuracy_table(heads),
        figures.experts_figure("heads-utilisation", routed, "util", "Utilisation", "share, %"),
        figures.experts_figure("heads-load", [group for group in routed if group.model != "soft"], "load", "Load", "pictures, %"),
        figures.entropy_figure(routed), figures.shares_figure(routed), figures.class_figure(routed), *tables.utilisation_table(heads),
        figures.curvature_figure(heads), *tables.hessian_table(heads), figures.density_figure(heads),
        figures.loss_along_figure(heads), *tables.curve_table(heads),
        figures.head_speed_figure(heads), *tables.head_speed_table(heads),
    ]


def otherwise_trained_section(heads):
    """The same heads after another training than that of heads_section."""
    epochs, pictures = heads[0].training
    analysed = [group for group in heads if group.analysed("hessian")]
    compared = [figures.curvature_figure(heads, f"-{epochs}-epochs")] if len(analysed) > 1 else []
    return [
        f"## CIFAR-10 heads, {epochs} epochs on {f'{pictures:,}' if pictures else 'all'} pictures", "",
        *tables.setup_table(heads), *tables.accuracy_table(heads), *tables.utilisation_table(heads),
        *compared, *tables.hessian_table(heads),
    ]


def patches_section(patches):
    return [
        "## Patch networks", "",
        *tables.setup_table(patches),
        figures.size_figure(patches), *tables.patch_table(patches),
        figures.layers_figure(patches),
        figures.training_figure("patches-training", patches, "validation"),
        figures.patch_speed_figure(patches), *tables.patch_speed_table(patches),
    ]


def hardware(runs):
    """Of the analyses that time; training leaves no note of its machine."""
    machines = sorted({"{cpu}, {cores} cores, {instruction_set}, LibTorch {libtorch}".format(**run.analysis["efficiency"]["machine"])
                       for run in runs if "efficiency" in run.analysis})
    return [f"Timed on: {'; '.join(machines)}.", ""] if machines else []


def missing(made):
    """A figure without data is named with what would make it."""
    left_out = [figure for figure in made if not figure.picture]
    if not left_out:
        return []
    return ["## Left out", "", "No run here has data for these figures:", ""] + [f"* {figure.what}: {figure.needs}" for figure in left_out]


def measured(runs):
    """@return (lines of Markdown, figures that were drawn)"""
    heads, *others = most_trained_first(grouped([run for run in runs if run.is_head], HEADS)) or [[]]
    patches = grouped([run for run in runs if not run.is_head], PATCHES)
    parts = heads_section(heads) if heads else []
    for other in others:
        parts += otherwise_trained_section(other)
    parts += patches_section(patches) if patches else []
    parts += tables.specialisation_table(heads + patches)
    made = [part for part in parts if isinstance(part, figures.Figure)]
    lines = hardware(runs)
    for part in parts + missing(made):
        lines += part.markdown() if isinstance(part, figures.Figure) else [part]
    while lines and not lines[-1]:
        lines.pop()
    return lines, [figure for figure in made if figure.picture]


def write_figures(made, images):
    """Also removes figures of earlier runs for which there is no data any more."""
    images.mkdir(exist_ok=True)
    for old in images.glob(f"{COMMON_PREFIX}*.svg"):
        if old.name not in {figure.file for figure in made}:
            old.unlink()
    for figure in made:
        (images / figure.file).write_text(str(figure.picture))
