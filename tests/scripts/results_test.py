#!/usr/bin/env python3
"""Tests of scripts/results: that the committed pages are what it makes, and how it treats runs."""
import json
import math
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "results"
PAGE = "# Results\n\nWritten by hand.\n\n<!-- measured: begin -->\n<!-- measured: end -->\nAlso by hand.\n"
MOST_BYTES = 60_000  # that a run may take in the repository


def run_script(docs, *arguments):
    return subprocess.run([sys.executable, SCRIPT, "--docs", docs, *arguments], capture_output=True, text=True)


# ---- small made-up runs ------------------------------------------------------------------------------------------------


def head_config(head, seed, epochs=2):
    config = {"kind": "cifar_e2e", "head": head, "image": 32, "width0": 8, "class_names": ["cat", "dog & \"co\""],
              "train": {"epochs": epochs, "seed": seed, "learning_rate": 0.1, "optimizer": "sgd"},
              "data": {"name": "cifar10", "path": "/home/somebody/pictures", "train_size": 10000}}
    if head != "dense":
        config["num_experts"] = 3
    if head == "sparse":
        config["k"] = 2
    return config


def patch_config(experts, seed):
    return {"kind": "patch_net", "image": [64, 64], "base_channels": 8, "num_experts": experts,
            "train": {"epochs": 2, "seed": seed, "learning_rate": 0.004, "optimizer": "adamw"},
            "data": {"name": "tiny-imagenet", "path": "/home/somebody/pictures", "train_size": 0}}


def epoch_line(epoch, accuracy):
    return {"epoch": epoch, "train_loss": 1.0 / epoch, "train_acc": accuracy, "val_loss": 1.2 / epoch, "val_acc": accuracy - 0.05,
            "seconds": 30.0, "images_per_s": 900.0}


def head_lines(head, accuracy, epochs=2):
    lines = [epoch_line(epoch, accuracy * epoch / epochs) for epoch in range(1, epochs + 1)]
    test = {"test_loss": 0.9, "test_acc": accuracy, "tested_epoch": epochs}
    if head != "dense":
        for line in lines:
            line.update(util=[0.5, 0.3, 0.2], entropy=0.9, val_util=[0.5, 0.3, 0.2])
        test.update(util_test_snapshot=[0.6, 0.4, 0.0], entropy_test_snapshot=0.8, class_expert_mean=[[0.7, 0.3, 0], [0.5, 0.5, 0]])
    if head == "sparse":
        for line in lines:
            line["load"] = [0.9, 0.7, 0.4]
        test["load_test_snapshot"] = [1.0, 1.0, 0.0]
    return lines + [test]


def patch_lines(accuracy):
    layer = lambda index: {"layer": index, "usage": [1.0] * 50, "spec_entropy": 0.4, "entropy_norm": 0.9, "imbalance": 2.0 + index, "drop_rate": 0.01}
    router = {"spec_entropy_mean": 0.4, "entropy_norm_mean": 0.9, "imbalance_mean": 2.0, "drop_rate": 0.01, "mean_capacity_ratio_mean": 0.49,
              "layers": [layer(0), layer(1)]}
    lines = [{**epoch_line(epoch, accuracy * epoch / 2), "router": router} for epoch in (1, 2)]
    return lines + [{"test_loss": 0.9, "test_acc": accuracy, "tested_epoch": 2, "router_test_snapshot": router}]


def hessian(scale):
    alphas = [-0.5, -0.25, -0.1, 0.0, 0.1, 0.25, 0.5]
    curve = {"direction": "eigenvector 1", "alphas": alphas, "losses": [0.3 + scale * (a + 0.1 * a ** 3 if a < 0 else a) ** 2 for a in alphas]}
    grid = [scale * (i - 20) / 5 for i in range(121)]
    subset = {"pictures": 128, "eigenvalues": [20 * scale, -8 * scale], "method": "lanczos", "residuals": [0.1, 0.1],
              "trace": {"hutchinson": {"mean": 91 * scale}, "hutch++": {"mean": 90 * scale, "standard_error": 4}},
              "density": {"lambda": grid, "density": [math.exp(-abs(x) / scale) for x in grid], "sigma": 0.1},
              "curves": [curve, {**curve, "direction": "random 1"}], "surfaces": [{"losses": [[1.0] * 50] * 50}]}
    return {"routing": "free", "parameters": 1234, "subsets": {"train": subset, "test": subset}}


def efficiency(milliseconds, ways, head=True):
    rows = [{"engine": engine, "dispatch": dispatch, "kernels": "auto", "threads": 1, "batch": 32, "mean_ms": milliseconds, "std_ms": 0.5,
             "median_ms": milliseconds, "images_per_s": 32000 / milliseconds, "peak_mib": None} for engine, dispatch in ways]
    return {"machine": {"cpu": "Some CPU", "cores": 2, "instruction_set": "AVX2", "gpu": None, "libtorch": "2.13.0"}, "protocol": "p", "pictures": 50,
            "accuracy": 0.5, "parameters": 1234, "active_parameters": 1000, "multiply_adds": 5_000_000, "f32_mib": 0.01, "rows": rows,
            **({"head": {"parameters": 10, "rows": rows}} if head else {})}


def routing():
    found = {"mutual_information_bits": 0.4, "of_at_most": 1.0, "chance_mean": 0.01, "p_value": 0.001}
    return {"pictures": 100, "layers": [{"layer": -1, "experts": 3, "specialisation": found, "class_expert": [[0.5] * 3] * 100}]}


class Folders(unittest.TestCase):
    """A folder of documents and made-up runs for each test."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.docs = self.root / "docs"
        self.docs.mkdir()
        (self.docs / "results.md").write_text(PAGE)

    def add(self, name, config, lines, **analyses):
        folder = self.root / "runs" / name
        (folder / "analysis").mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        for analysis, content in analyses.items():
            (folder / "analysis" / f"{analysis}.json").write_text(json.dumps(content))
        return folder

    def add_head(self, name, head, seed, accuracy, **analyses):
        return self.add(name, head_config(head, seed), head_lines(head, accuracy), **analyses)

    def page_of(self, *arguments):
        done = run_script(self.docs, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.docs / "results.md").read_text()

    def refused(self, *arguments):
        """@return the message; nothing may have been written"""
        done = run_script(self.docs, *arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual((self.docs / "results.md").read_text(), PAGE)
        self.assertFalse(list(self.docs.glob("results/*")))
        return done.stderr

    def row(self, page, start):
        rows = [line for line in page.splitlines() if line.startswith(f"| {start} |")]
        self.assertEqual(len(rows), 1, f"rows that begin with {start!r}: {rows}")
        return [cell.strip() for cell in rows[0].strip("|").split("|")]


# ---- the repository's own page -----------------------------------------------------------------------------------------


class CommittedPages(unittest.TestCase):
    def test_are_what_the_script_makes_of_the_committed_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            docs = Path(folder)
            (docs / "images").mkdir()
            shutil.copytree(ROOT / "docs" / "results", docs / "results")
            shutil.copy(ROOT / "docs" / "results.md", docs)
            done = run_script(docs)
            self.assertEqual(done.returncode, 0, done.stderr)
            advice = "run scripts/results and commit what it changes"
            self.assertEqual((docs / "results.md").read_text(), (ROOT / "docs" / "results.md").read_text(), advice)
            made, committed = ({file.name: file.read_text() for file in folder.glob("results-*.svg")}
                               for folder in (docs / "images", ROOT / "docs" / "images"))
            self.assertEqual(sorted(made), sorted(committed), advice)
            for name in made:
                self.assertTrue(made[name] == committed[name], f"docs/images/{name}: {advice}")

    def test_name_no_figure_that_is_not_there(self):
        page = (ROOT / "docs" / "results.md").read_text()
        for file in (ROOT / "docs" / "images").glob("results-*.svg"):
            self.assertIn(f"(images/{file.name})", page)

    def test_keep_small_runs_without_anybodys_folders(self):
        for run in (ROOT / "docs" / "results").iterdir():
            size = sum(file.stat().st_size for file in run.iterdir())
            self.assertLessEqual(size, MOST_BYTES, run)
            self.assertEqual(json.loads((run / "config.json").read_text())["data"]["path"], "")

    def test_keeping_what_is_kept_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            docs = Path(folder)
            (docs / "results.md").write_text(PAGE)
            runs = sorted((ROOT / "docs" / "results").iterdir())
            done = run_script(docs, *runs)
            self.assertEqual(done.returncode, 0, done.stderr)
            for run in runs:
                for file in run.iterdir():
                    self.assertEqual((docs / "results" / run.name / file.name).read_text(), file.read_text(), file)


# ---- tables ------------------------------------------------------------------------------------------------------------


class Tables(Folders):
    def test_several_seeds_are_one_row_with_their_spread(self):
        runs = [self.add_head(f"dense-s{seed}", "dense", seed, accuracy) for seed, accuracy in ((1, 0.50), (2, 0.52), (3, 0.57))]
        row = self.row(self.page_of(*runs), "dense, ours, 3 seeds")
        self.assertEqual(row[-2], "53.00 (50.00 to 57.00)")
        self.assertEqual(row[-1], "0.900")  # the same in all

    def test_a_run_that_was_suspended_did_not_train_meanwhile(self):
        lines = head_lines("dense", 0.5, epochs=3)
        lines[1]["seconds"] = 4000.0
        page = self.page_of(self.add("dense-s1", head_config("dense", 1, epochs=3), lines))
        self.assertEqual(self.row(page, "dense")[-1], "1.5")

    def test_the_published_row_stands_below_ours(self):
        lines = self.page_of(self.add_head("soft-s1", "soft", 1, 0.5)).splitlines()
        ours = next(i for i, line in enumerate(lines) if line.startswith("| soft, ours, 1 seed |"))
        self.assertTrue(lines[ours + 1].startswith("| soft, published | 100.00 | 41 | 88.24 | 48 | 87.23 | 0.4559 |"))

    def test_sets_of_seeds_may_differ(self):
        runs = [self.add_head(f"dense-s{seed}", "dense", seed, 0.5) for seed in (1, 2)] + [self.add_head("soft-s3", "soft", 3, 0.6)]
        page = self.page_of(*runs)
        self.row(page, "dense, ours, 2 seeds")
        self.row(page, "soft, ours, 1 seed")
        self.assertIn("1 to 2 seeds each", (self.docs / "images" / "results-heads-training.svg").read_text())

    def test_the_heads_that_saw_the_most_pictures_stand_beside_the_paper_and_others_by_themselves(self):
        longer = self.add("long", head_config("dense", 1, epochs=4), head_lines("dense", 0.6, epochs=4))
        page = self.page_of(self.add_head("short", "dense", 1, 0.5), longer)
        beside, alone = page.split("## CIFAR-10 heads, 2 epochs on 10,000 pictures")
        self.assertEqual(self.row(beside, "dense, ours, 1 seed")[-2], "60.00")
        self.assertIn("| dense, published |", beside)
        self.assertEqual(self.row(alone, "dense, 2 epochs, ours, 1 seed")[-2], "50.00")

    def test_more_epochs_on_few_pictures_are_less_training(self):
        config = head_config("dense", 1, epochs=8)
        config["data"]["train_size"] = 1000
        soft = {**head_config("soft", 1, epochs=8), "data": config["data"]}
        runs = [self.add("fit", config, head_lines("dense", 0.4, epochs=8), hessian=hessian(1)), self.add_head("dense-s1", "dense", 1, 0.5),
                self.add("soft-fit", soft, head_lines("soft", 0.4, epochs=8), hessian=hessian(2))]
        beside, alone = self.page_of(*runs).split("## CIFAR-10 heads, 8 epochs on 1,000 pictures")
        self.assertEqual(self.row(beside, "dense, ours, 1 seed")[-2], "50.00")
        self.assertIn("| dense, 8 epochs, ours, 1 seed | 40.00 |", alone)
        self.assertIn("(images/results-heads-curvature-8-epochs.svg)", alone)

    def test_a_sparse_head_with_one_expert_a_picture_is_hard(self):
        config = {**head_config("sparse", 1), "k": 1}
        self.row(self.page_of(self.add("hard-s1", config, head_lines("sparse", 0.4))), "hard, ours, 1 seed")

    def test_curvature_counts_the_seeds_that_were_analysed(self):
        runs = [self.add_head("dense-s1", "dense", 1, 0.5, hessian=hessian(1)), self.add_head("dense-s2", "dense", 2, 0.5, hessian=hessian(2)),
                self.add_head("dense-s3", "dense", 3, 0.5)]
        row = self.row(self.page_of(*runs), "dense, ours, 2 seeds")
        self.assertEqual(row[1:3], ["30.0 (20.0 to 40.0)", "135 (90 to 180)"])

    def test_a_curve_along_an_eigenvector_is_turned(self):
        page = self.page_of(self.add_head("dense-s1", "dense", 1, 0.5, hessian=hessian(1)))
        low, high = (float(self.row(page, alpha)[1]) for alpha in ("-0.5", "0.5"))
        self.assertLess(low, high)

    def test_times_of_all_ways_and_of_the_head_alone_are_there(self):
        analysis = efficiency(16.0, (("libtorch", "-"), ("runtime", "grouped"), ("runtime", "naive")))
        page = self.page_of(self.add_head("sparse-s1", "sparse", 1, 0.5, efficiency=analysis), self.add_head("sparse-s2", "sparse", 2, 0.5))
        self.assertIn("| sparse | network | runtime, naive | 1 | 32 | 16.00 | 0.50 | 16.00 | 2,000 |  |", page)
        self.assertIn("| sparse | head alone | LibTorch | 1 | 32 | 16.00 |", page)
        self.assertIn("| sparse, published | network | PyTorch, CPU |  | 32 | 73.01 |", page)
        self.assertIn("Some CPU, 2 cores, AVX2, LibTorch 2.13.0", page)

    def test_a_dense_network_is_timed_in_one_row_an_engine(self):
        analysis = efficiency(16.0, (("libtorch", "-"), ("runtime", "-")), head=False)
        page = self.page_of(self.add_head("dense-s1", "dense", 1, 0.5, efficiency=analysis))
        self.assertEqual(len([line for line in page.splitlines() if line.startswith("| dense | network |")]), 2)

    def test_patch_networks_have_latencies_and_published_ones_below(self):
        ways = (("libtorch", "onehot"), ("libtorch", "index"), ("runtime", "grouped"))
        run = self.add("e4-s1", patch_config(4, 1), patch_lines(0.6), efficiency=efficiency(1.5, ways, head=False))
        page = self.page_of(run)
        self.assertEqual(self.row(page, "E = 4, ours"), ["E = 4, ours", "1,234", "1,000", "5.0 M", "50.0"] + ["1.50 (0.50)"] * 3 + [""])
        published = [line for line in page.splitlines() if line.startswith("| E = 4, published |")]
        self.assertTrue(published[1].endswith("| 27.61 (4.47) |"))

    def test_specialisation_is_of_all_seeds(self):
        page = self.page_of(*(self.add_head(f"soft-s{seed}", "soft", seed, 0.5, routing=routing()) for seed in (1, 2)))
        self.assertIn("| soft | head | 2 | 0.400 | 1.00 | 0.010 | 0.001 |", page)


# ---- figures -----------------------------------------------------------------------------------------------------------


class Figures(Folders):
    def everything(self):
        ways = (("libtorch", "-"), ("runtime", "grouped"))
        runs = [self.add_head(f"{head}-s{seed}", head, seed, 0.4 + 0.1 * seed, hessian=hessian(seed), efficiency=efficiency(10.0 * seed, ways))
                for head in ("dense", "soft", "sparse") for seed in (1, 2)]
        ways = (("libtorch", "onehot"), ("libtorch", "index"), ("runtime", "grouped"))
        return runs + [self.add(f"e{E}-s1", patch_config(E, 1), patch_lines(0.6), efficiency=efficiency(1.0 + E, ways, head=False)) for E in (4, 16)]

    def test_all_are_drawn_where_all_was_analysed(self):
        page = self.page_of(*self.everything())
        self.assertNotIn("## Left out", page)
        files = sorted(file.name for file in (self.docs / "images").iterdir())
        self.assertEqual(len(files), 14)
        for name in files:
            self.assertIn(f"(images/{name})", page)

    def test_are_well_formed_and_keep_their_text_inside(self):
        self.page_of(*self.everything())
        for file in (self.docs / "images").iterdir():
            tree = xml.parse(file).getroot()
            width, height = (float(tree.get(key)) for key in ("width", "height"))
            for node in tree.iter("{http://www.w3.org/2000/svg}text"):
                if node.get("transform"):
                    continue
                length = 6.2 * len(node.text)  # about, at 12 to 13 pixels
                start = float(node.get("x")) - {"middle": length / 2, "end": length}.get(node.get("text-anchor"), 0)
                self.assertGreaterEqual(start, 0, f"{file.name}: {node.text}")
                self.assertLessEqual(start + length, width, f"{file.name}: {node.text}")
                self.assertLess(float(node.get("y")), height, f"{file.name}: {node.text}")

    def test_without_data_are_left_out_and_named(self):
        page = self.page_of(self.add_head("dense-s1", "dense", 1, 0.5))
        self.assertEqual([file.name for file in (self.docs / "images").iterdir()], ["results-heads-training.svg"])
        for line in ("* spectral density of the Hessian: `trainer analyze RUN hessian`", "* class-by-expert maps: runs of routed heads",
                     "* time of the heads: `trainer analyze RUN efficiency`"):
            self.assertIn(line, page)

    def test_of_analyses_that_are_gone_are_removed(self):
        run = self.add_head("dense-s1", "dense", 1, 0.5, hessian=hessian(1))
        self.page_of(run)
        self.assertTrue((self.docs / "images" / "results-heads-curvature.svg").exists())
        (run / "analysis" / "hessian.json").unlink()
        self.page_of(run)
        self.assertFalse((self.docs / "images" / "results-heads-curvature.svg").exists())

    def test_compare_times_of_the_same_networks(self):
        ways = (("libtorch", "index"), ("runtime", "grouped"))
        runs = [self.add(f"e{E}-s1", patch_config(E, 1), patch_lines(0.6), efficiency=efficiency(milliseconds, ways, head=False))
                for E, milliseconds in ((1, 1.0), (4, 2.0), (16, 3.0))]
        self.assertIn("16 experts take 1.50 times as long as 4; published: 1.72 times", self.page_of(*runs))

    def test_say_of_how_many_seeds_they_are(self):
        self.page_of(self.add_head("dense-s1", "dense", 1, 0.5, hessian=hessian(1)), self.add_head("dense-s2", "dense", 2, 0.5))
        images = self.docs / "images"
        self.assertIn("2 seeds each", (images / "results-heads-training.svg").read_text())
        self.assertIn("one seed each", (images / "results-heads-eigenvector.svg").read_text())

    def test_titles_follow_the_data(self):
        runs = [self.add_head("dense-s1", "dense", 1, 0.5), self.add_head("soft-s1", "soft", 1, 0.7)]
        self.assertIn("soft leads with 65.0 %", self.page_of(*runs))
        other = [self.add_head("dense-s2", "dense", 1, 0.9), runs[1]]
        self.assertIn("dense leads with 85.0 %", self.page_of("--only", *other))

    def test_an_order_within_the_spread_of_seeds_is_not_called_a_lead(self):
        runs = [self.add_head(f"{head}-s{seed}", head, seed, accuracy)
                for head, seed, accuracy in (("dense", 1, 0.5), ("dense", 2, 0.8), ("soft", 1, 0.6), ("soft", 2, 0.62))]
        self.assertIn("within its seeds' spread of soft", self.page_of(*runs))


# ---- runs --------------------------------------------------------------------------------------------------------------


class Keeping(Folders):
    def test_what_nothing_shows_is_dropped(self):
        self.page_of(self.add_head("soft-s1", "soft", 1, 0.5, hessian=hessian(1), routing=routing()),
                     self.add("e4-s1", patch_config(4, 1), patch_lines(0.5)))
        kept = self.docs / "results"
        for name, words in (("soft-s1/hessian.json", ("surfaces", "residuals", "random 1")), ("soft-s1/routing.json", ("class_expert",)),
                            ("soft-s1/metrics.jsonl", ("images_per_s", "val_util")), ("e4-s1/metrics.jsonl", ("usage",))):
            for word in words:
                self.assertNotIn(word, (kept / name).read_text(), name)
        self.assertNotIn("somebody", (kept / "soft-s1" / "config.json").read_text())

    def test_a_run_takes_the_place_of_an_earlier_one_of_its_name(self):
        run = self.add_head("dense-s1", "dense", 1, 0.5, hessian=hessian(1))
        self.page_of(run)
        shutil.rmtree(run)
        page = self.page_of(self.add_head("dense-s1", "dense", 1, 0.6))
        self.assertEqual(self.row(page, "dense, ours, 1 seed")[-2], "60.00")
        self.assertFalse((self.docs / "results" / "dense-s1" / "hessian.json").exists())

    def test_only_forgets_the_others(self):
        self.page_of(self.add_head("dense-s1", "dense", 1, 0.5))
        page = self.page_of("--only", self.add_head("soft-s1", "soft", 1, 0.5))
        self.assertEqual([run.name for run in (self.docs / "results").iterdir()], ["soft-s1"])
        self.assertNotIn("| dense, ours", page)

    def test_text_outside_the_marks_is_left_alone(self):
        page = self.page_of(self.add_head("dense-s1", "dense", 1, 0.5))
        self.assertTrue(page.startswith(PAGE.split("<!-- measured: begin -->")[0]))
        self.assertTrue(page.endswith(PAGE.split("<!-- measured: end -->")[1]))

    def test_an_unfinished_run_is_refused_and_nothing_written(self):
        going = self.add("going", head_config("dense", 2, epochs=9), head_lines("dense", 0.5)[:-1])
        message = self.refused(self.add_head("done", "dense", 1, 0.5), going)
        self.assertIn("going: the run is not finished: metrics.jsonl has 2 of 9 epochs and no line of the test set", message)

    def test_a_folder_that_is_no_run_is_refused(self):
        (self.root / "empty").mkdir()
        self.assertIn("empty: no config.json; expected a run folder", self.refused(self.root / "empty"))

    def test_a_damaged_line_is_named(self):
        run = self.add_head("dense-s1", "dense", 1, 0.5)
        with open(run / "metrics.jsonl", "a") as file:
            file.write('{"epoch": 3, "train_')
        self.assertIn("metrics.jsonl, line 4:", self.refused(run))

    def test_two_runs_of_one_name_are_refused(self):
        self.add_head("a/dense-s1", "dense", 1, 0.5)
        self.add_head("b/dense-s1", "dense", 2, 0.5)
        runs = self.root / "runs"
        self.assertIn("another run is called dense-s1 too", self.refused(runs / "a" / "dense-s1", runs / "b" / "dense-s1"))

    def test_losses_that_are_not_finite_leave_gaps(self):
        lines = head_lines("dense", 0.5)
        lines[0]["train_loss"] = None
        self.row(self.page_of(self.add("dense-s1", head_config("dense", 1), lines)), "dense, ours, 1 seed")


if __name__ == "__main__":
    unittest.main()
