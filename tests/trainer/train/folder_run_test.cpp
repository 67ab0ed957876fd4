// A model trained on somebody's own pictures: the runtime, given the picture files, answers as the trainer did.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "converter/convert.h"
#include "converter/temporary_folder.h"
#include "moefb/executor.h"
#include "trainer/data/png.h"
#include "trainer/data/shapes.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/commands.h"
#include "trainer/train/evaluate.h"
#include "trainer/train/run_folder.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

constexpr double kLogitsLimit = 2e-5;  // docs/design.md, section 6: of the largest logit
constexpr int64_t kPictures = 60;

/// Drawn pictures of four classes and of three sizes as PNG and JPEG, and others of kinds that are not RGB.
void draw_pictures(const std::string& folder) {
  constexpr int kSides[] = {16, 24, 40};
  for (int64_t s = 0; s < 3; ++s) {
    const int side = kSides[s];
    const PictureSet set = draw_shapes(kPictures, side, 1, Stream::kExamplePicture);
    for (int64_t i = s; i < set.size(); i += 3) {
      const std::string name = "class " + std::to_string(set.labels[size_t(i)] % 4) + "/" + std::to_string(i);
      fs::create_directories(fs::path(folder + "/" + name).parent_path());
      if (i % 2 == 0) {
        write_png(folder + "/" + name + ".png", side, side, set.picture(i));
      } else {
        write_jpeg(folder + "/" + name + ".jpg", side, side, set.picture(i));
      }
    }
  }
  int label = 0;
  for (const char* name : {"grey8.png", "palette4.png", "palette8.bmp", "grey.jpg"}) {
    fs::copy_file(std::string(MOEFB_TEST_DATA "/images/") + name,
                  folder + "/class " + std::to_string(label++) + "/" + name);
  }
}

class FolderRun : public ::testing::Test {
 protected:
  FolderRun() {
    draw_pictures(pictures_);
    write_file_atomically(folder_ / "tiny.toml", std::string_view(kTinyToml));
    TrainCommand command;
    command.config = folder_ / "tiny.toml";
    command.out = run_;
    command.sets = {"data.name=folder",  "data.path=" + pictures_, "data.train_size=0", "data.val_size=6",
                    "data.test_size=24", "resize_to=20",           "filter=bicubic"};
    EXPECT_EQ(train(command), 0);
  }
  std::string convert_run() const {
    convert::Options options;
    options.source = run_;
    options.output = folder_ / "m.moefb";
    EXPECT_TRUE(convert::convert(options).warnings.empty());
    return options.output;
  }
  Dataset dataset() const { return load_dataset(load_run_config(run_ + "/config.json").data); }

  testing::TemporaryFolder folder_;
  std::string pictures_ = folder_ / "pictures";
  std::string run_ = folder_ / "run";
};

/// What `moe-infer` does with one file.
std::vector<float> answer(const Model& model, Executor& executor, const std::string& path) {
  const auto image = load_image(path.c_str());
  EXPECT_TRUE(image.ok()) << path;
  std::vector<float> input(size_t(model.input_shape().elements()));
  std::vector<float> logits(size_t(model.classes()));
  EXPECT_TRUE(preprocess(*image, *model.preprocessing(), input).ok());
  EXPECT_TRUE(executor.run(input, logits).ok());
  return logits;
}

TEST_F(FolderRun, RuntimeAnswersThePictureFilesAsTheTrainerDid) {
  const std::string moefb = convert_run();
  const RunConfig config = load_run_config(run_ + "/config.json");
  const Dataset data = dataset();
  CifarNet net(std::get<ModelConfig>(config.model));
  load_state_dict(net, safetensors::read(run_ + "/model.safetensors"), "model.safetensors");
  const Evaluation own = *evaluate(net, data, data.test, {});
  const auto model = Model::load(moefb.c_str());
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->class_name(2), "class 2");
  auto executor = Executor::create(*model);
  ASSERT_TRUE(executor.ok());
  const double limit = kLogitsLimit * own.logits.abs().max().item<double>();
  ASSERT_EQ(data.test.size(), 24);
  for (int64_t i = 0; i < data.test.size(); ++i) {
    const std::string path = pictures_ + "/" + data.test.files[size_t(i)];
    const at::Tensor runtime = at::tensor(answer(*model, *executor, path));
    EXPECT_LE((runtime - own.logits[i]).abs().max().item<double>(), limit) << path;
  }
}

TEST_F(FolderRun, EvalAgreesWithItsModelAndNamesTheFiles) {
  EvalCommand command;
  command.run = run_;
  command.model = convert_run();
  command.predictions = folder_ / "p.csv";
  command.export_folder = folder_ / "png";
  EXPECT_EQ(eval(command), 0);
  std::ifstream csv(command.predictions);
  std::string line;
  std::getline(csv, line);
  for (const std::string& file : dataset().test.files) {
    ASSERT_TRUE(std::getline(csv, line));
    EXPECT_TRUE(testing::contains(line, "," + pictures_ + "/" + file + ","));
    EXPECT_TRUE(fs::exists(command.export_folder + "/" + file + ".png")) << file;
  }
  EXPECT_FALSE(std::getline(csv, line));
}

TEST_F(FolderRun, EvalFindsPicturesThatHaveMoved) {
  const std::string moved = folder_ / "moved";
  fs::rename(pictures_, moved);
  EvalCommand command;
  command.run = run_;
  EXPECT_TRUE(testing::contains(testing::message_of([&] { eval(command); }), pictures_));
  command.data = moved;
  EXPECT_EQ(eval(command), 0);
}

TEST_F(FolderRun, EvalRefusesTheModelOfOtherWeights) {
  EvalCommand command;
  command.run = run_;
  command.model = convert_run();
  command.predictions = folder_ / "p.csv";
  // The run's weights change under the model: the last layer's answers are turned round.
  safetensors::File weights = safetensors::read(run_ + "/model.safetensors");
  for (auto& [name, tensor] : weights.tensors) {
    if (!name.starts_with("head.experts") || !name.ends_with("3.weight")) continue;
    std::vector<float> values = tensor.to_f32();
    for (float& value : values) value *= -50;
    tensor = safetensors::Tensor::from_f32(tensor.shape, values);
  }
  safetensors::write(run_ + "/model.safetensors", weights);
  EXPECT_TRUE(testing::contains(testing::message_of([&] { eval(command); }), "pictures with another class"));
  EXPECT_TRUE(fs::exists(command.predictions)) << "to see which";
}

TEST_F(FolderRun, MeanAndDeviationAreMeasuredOnceAndStored) {
  const RunConfig config = load_run_config(run_ + "/config.json");
  ASSERT_EQ(config.mean.size(), 3u);
  ASSERT_TRUE(config.data.mean.has_value());
  EXPECT_NE(config.mean[0], 0);
  // Other pictures do not change what the run's model was trained with.
  for (const auto& entry : fs::recursive_directory_iterator(pictures_)) {
    if (entry.path().extension() != ".jpg") continue;
    write_jpeg(entry.path().string(), 8, 8, std::vector<uint8_t>(8 * 8 * 3, 0));
  }
  EXPECT_EQ(dataset().mean[0], float(config.mean[0]));
}

}  // namespace
}  // namespace moefb::trainer
