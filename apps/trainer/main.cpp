// trainer: trains a model from a configuration, goes on with a stopped run, both in several processes if asked, sweeps
// a grid of settings, tests and analyses the kept weights of a run, imports published ones, compares runs.
#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/command_line.h"
#include "apps/common/program.h"
#include "apps/trainer/passive_threads.h"
#include "trainer/analysis/commands.h"
#include "trainer/distributed/world.h"
#include "trainer/report/report.h"
#include "trainer/train/commands.h"

namespace {

using namespace moefb;

// Every step allocates and frees the same large maps: keeping them cuts the page faults to a fifth.
void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

/// What the command line asks for; empty for --help and --version.
using Action = std::function<int()>;

Action train_flags(CLI::App& app, trainer::TrainCommand& command) {
  app.add_option("CONFIG", command.config, "a TOML file, as in trainer/configs")->required()->type_name("");
  app.add_option("--out", command.out, "a folder for the run; may not hold another one")->required()->type_name("RUN");
  app.add_option("--set", command.sets, "replaces what CONFIG says, train.epochs=3 say; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  return [&command] { return trainer::train(command); };
}

void device_flag(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "cpu or cuda; if not given, the run's train.device")->type_name("NAME");
}

Action resume_flags(CLI::App& app, trainer::ResumeCommand& command) {
  app.add_option("RUN", command.run, "the run's folder")->required()->type_name("");
  device_flag(app, command.device);
  return [&command] { return trainer::resume(command); };
}

Action sweep_flags(CLI::App& app, trainer::SweepCommand& command) {
  app.add_option("CONFIG", command.config, "a TOML file, as in trainer/configs")->required()->type_name("");
  app.add_option("--grid", command.grid, "values of a setting, train.seed=1,2,3 say; repeated: every combination")
      ->allow_extra_args(false)
      ->required()
      ->type_name("KEY=VALUE,...");
  app.add_option("--out", command.out, "a folder for the runs; with a sweep in it, that one goes on")
      ->required()
      ->type_name("FOLDER");
  app.add_option("--set", command.sets, "replaces what CONFIG says, in every run; may be repeated")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  app.add_option("--jobs", command.jobs, "runs at a time, which share the cores (default 1)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  return [&command] { return trainer::sweep(command); };
}

/// What each process is to do stands behind: run() reads it.
Action launch_flags(CLI::App& app, trainer::LaunchCommand& command) {
  app.add_option("-n", command.processes, "how many processes, on this machine")
      ->required()
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  app.footer("Behind -n N stands what they do together: train CONFIG.toml --out RUN ..., or resume RUN");
  return [&command] {
    if (command.command.empty()) throw std::runtime_error("launch: expected train or resume behind -n N (see --help)");
    return trainer::launch(command);
  };
}

Action eval_flags(CLI::App& app, trainer::EvalCommand& command) {
  app.add_option("RUN", command.run, "the run's folder")->required()->type_name("");
  app.add_option("--data", command.data, "the data set's folder, if it is not where the run had it")
      ->type_name("FOLDER");
  device_flag(app, command.device);
  app.add_option("--model", command.model, "a converted model: the runtime answers the same pictures")
      ->type_name("FILE.moefb");
  app.add_option("--predictions", command.predictions, "a file to write, one line a picture")->type_name("FILE.csv");
  app.add_option("--export", command.export_folder, "receives the test pictures as PNG, as the model sees them")
      ->type_name("FOLDER");
  return [&command] { return trainer::eval(command); };
}

/// One of several words.
template <typename Choice>
void choice(CLI::App& app, const std::string& flag, Choice& value, const std::map<std::string, Choice>& words,
            const std::string& help) {
  std::string list;
  for (const auto& [word, unused] : words) list += (list.empty() ? "" : "|") + word;
  const auto set = [&value, words, list, flag](const std::string& word) {
    if (!words.contains(word)) throw CLI::ValidationError(flag, "expected " + list + ", found " + word);
    value = words.at(word);
  };
  app.add_option_function<std::string>(flag, set, help)->type_name(list)->group("hessian");
}

CLI::Option* count(CLI::App& app, const std::string& flag, auto& value, int64_t least, const std::string& help) {
  return app.add_option(flag, value, help)
      ->check(CLI::Range(least, int64_t{1} << 30).description(""))
      ->capture_default_str()
      ->type_name("N")
      ->group("hessian");
}

void hessian_flags(CLI::App& app, trainer::HessianOptions& options) {
  using trainer::EigenMethod, trainer::RouteMode, trainer::TraceMethod;
  app.add_option("--parameters", options.parameters, "only parameters whose names begin so; may be repeated")
      ->allow_extra_args(false)
      ->type_name("PREFIX")
      ->group("hessian");
  choice<RouteMode>(app, "--routing", options.routing, {{"free", RouteMode::kFree}, {"frozen", RouteMode::kFrozen}},
                    "whether routes and mixture weights follow the weights or are held [free]");
  choice<EigenMethod>(app, "--method", options.method,
                      {{"lanczos", EigenMethod::kLanczos}, {"power", EigenMethod::kPower}},
                      "of the eigenvalues; power is as published [lanczos]");
  choice<TraceMethod>(app, "--trace", options.trace,
                      {{"both", TraceMethod::kBoth},
                       {"hutchinson", TraceMethod::kHutchinson},
                       {"hutch++", TraceMethod::kHutchPlusPlus},
                       {"published", TraceMethod::kPublished},
                       {"none", TraceMethod::kNone}},
                      "estimators of the trace; published is Hutchinson's with an early stop [both]");
  count(app, "--eigenvalues", options.eigenvalues, 1, "how many, of the largest magnitude");
  count(app, "--products", options.products, 1, "Hessian-vector products of Lanczos");
  count(app, "--trace-products", options.trace_products, 1, "of each estimator of the trace");
  count(app, "--density-vectors", options.density_vectors, 0, "start vectors of the spectral density; 0: no density");
  count(app, "--directions", options.directions, 0, "random directions to measure the loss along");
  count(app, "--points", options.points, 2, "of each curve of the loss");
  count(app, "--surface", options.surface, 0, "points of a side of the loss surface; 0: no surface");
  count(app, "--batch", options.batch_size, 1, "pictures of a batch: fewer take less memory");
  count(app, "--memory-mib", options.memory_mib, 1, "for vectors as long as the parameters");
  app.add_option("--reach", options.reach, "how far the curves along eigenvectors go")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""))
      ->capture_default_str()
      ->group("hessian");
  app.add_flag("--f64", options.f64, "computes in f64")->group("hessian");
}

void routing_flags(CLI::App& app, trainer::RoutingOptions& options) {
  count(app, "--permutations", options.permutations, 1, "of the labels, to test whether experts specialise in classes")
      ->group("routing");
  count(app, "--stability-pictures", options.stability_pictures, 1, "to compare the routing of two epochs on")
      ->group("routing");
}

void efficiency_flags(CLI::App& app, trainer::EfficiencyOptions& options) {
  app.add_flag("--published", options.published, "as many batches as the published protocol has")->group("efficiency");
  count(app, "--warmup", options.warmup, 0, "batches before the clock starts")->group("efficiency");
  count(app, "--batches", options.batches, 1, "timed batches, at most")->group("efficiency");
}

Action analyze_flags(CLI::App& app, trainer::AnalyzeCommand& command) {
  app.add_option("RUN", command.run, "the run's folder; results go to its folder analysis")->required()->type_name("");
  app.add_option("ANALYSES", command.analyses, "hessian, routing, efficiency; all if none is named")->type_name("");
  app.add_option("--data", command.data, "the data set's folder, if it is not where the run had it")
      ->type_name("FOLDER");
  app.add_option("--pictures", command.pictures, "of each picture set; if not given, each analysis has its own number")
      ->check(CLI::Validator(CLI::PositiveNumber).description(""))
      ->type_name("N");
  app.add_option("--seed", command.seed, "of the sample and of random vectors")->capture_default_str()->type_name("N");
  app.add_option("--device", command.device,
                 "cuda, where LibTorch has it: hessian computes there, efficiency times LibTorch there too")
      ->capture_default_str()
      ->type_name("NAME");
  hessian_flags(app, command.hessian);
  routing_flags(app, command.routing);
  efficiency_flags(app, command.efficiency);
  return [&command] { return trainer::analyze(command); };
}

Action import_flags(CLI::App& app, trainer::ImportCommand& command) {
  app.add_option("CHECKPOINT", command.checkpoint,
                 "model.pt of the published code, summary.json beside it; or last.ckpt, with --config")
      ->required()
      ->type_name("");
  app.add_option("--config", command.config, "of last.ckpt: the settings that it lacks, image, patch_size and so on")
      ->type_name("FILE.json");
  app.add_option("--out", command.out, "a folder for the run; may not hold another one")->required()->type_name("RUN");
  return [&command] { return trainer::import(command); };
}

Action report_flags(CLI::App& app, report::ReportCommand& command) {
  app.add_option("RUN", command.runs, "run folders; those that differ by their seed alone are taken together")
      ->required()
      ->type_name("");
  app.add_option("--out", command.out,
                 "the page to write, its data beside it in the folder FILE-data; default: report.html in the first run")
      ->type_name("FILE.html");
  return [&command] { return report::report(command); };
}

/// This program's file, to start it once more.
std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

/// Where the command of `launch` begins, which each of its processes gets; argc if there is none.
int launched_command(int argc, char** argv) {
  if (argc < 2 || argv[1] != std::string_view("launch")) return argc;
  const auto starts = [](std::string_view word) { return word == "train" || word == "resume"; };
  return int(std::find_if(argv + 2, argv + argc, starts) - argv);
}

/// argv without the words before `first`, but for the program's name.
std::vector<char*> from(int argc, char** argv, int first) {
  std::vector<char*> words = {argv[0]};
  words.insert(words.end(), argv + first, argv + argc);
  return words;
}

/// Of the other commands each process would do the same, and write the same files.
void expect_one_process() {
  const trainer::World world = trainer::world_from_environment();
  if (world.alone()) return;
  throw std::runtime_error(
      "only train and resume run in several processes: expected no WORLD_SIZE in the environment, found " +
      std::to_string(world.size));
}

/// The program's command line, and what it asks for.
struct TrainerLine {
  TrainerLine() {
    line.app.require_subcommand(1);
    sweep_command.program = own_path();
  }

  /// @return empty for --help and --version, which have been answered
  Action parse(int argc, char** argv) {
    CLI::App* train = line.app.add_subcommand("train", "Starts a run");
    CLI::App* resume = line.app.add_subcommand("resume", "Goes on with a run that was stopped");
    CLI::App* sweep = line.app.add_subcommand("sweep", "Trains every combination of some settings");
    CLI::App* launch = line.app.add_subcommand("launch", "Runs train or resume in several processes");
    CLI::App* eval = line.app.add_subcommand("eval", "Tests the kept weights of a run");
    CLI::App* analyze =
        line.app.add_subcommand("analyze", "Measures curvature, routing and speed of the kept weights of a run");
    CLI::App* import = line.app.add_subcommand("import", "Makes a run of a published PyTorch checkpoint");
    CLI::App* report = line.app.add_subcommand("report", "Compares runs on one page of HTML");
    const Action do_train = train_flags(*train, train_command);
    const Action do_resume = resume_flags(*resume, resume_command);
    const Action do_sweep = sweep_flags(*sweep, sweep_command);
    const Action do_launch = launch_flags(*launch, launch_command);
    const Action do_eval = eval_flags(*eval, eval_command);
    const Action do_analyze = analyze_flags(*analyze, analyze_command);
    const Action do_import = import_flags(*import, import_command);
    const Action do_report = report_flags(*report, report_command);
    if (!line.parse(argc, argv)) return nullptr;
    if (!*train && !*resume) expect_one_process();
    return *train     ? do_train
           : *resume  ? do_resume
           : *sweep   ? do_sweep
           : *launch  ? do_launch
           : *eval    ? do_eval
           : *analyze ? do_analyze
           : *report  ? do_report
                      : do_import;
  }

  apps::CommandLine line{"Trains sparse Mixture-of-Experts vision models."};
  trainer::TrainCommand train_command;
  trainer::ResumeCommand resume_command;
  trainer::SweepCommand sweep_command;
  trainer::LaunchCommand launch_command;
  trainer::EvalCommand eval_command;
  trainer::ImportCommand import_command;
  trainer::AnalyzeCommand analyze_command;
  report::ReportCommand report_command;
};

int run(int argc, char** argv) {
  TrainerLine line;
  const int behind = launched_command(argc, argv);
  const Action action = line.parse(behind, argv);
  if (!action) return 0;
  if (behind < argc) {
    std::vector<char*> words = from(argc, argv, behind);
    TrainerLine launched;  // a mistake is told once, not by each process
    if (!launched.parse(int(words.size()), words.data())) return 0;
    const int64_t processes = line.launch_command.processes;
    if (!launched.train_command.config.empty()) trainer::check(launched.train_command, processes);
    if (!launched.resume_command.run.empty()) trainer::check(launched.resume_command, processes);
    line.launch_command.command.assign(words.begin(), words.end());
    line.launch_command.command[0] = own_path();
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  moefb::trainer::restart_with_passive_threads(argv);
  keep_freed_memory();
  return moefb::apps::run_program(argc, argv, run);
}
