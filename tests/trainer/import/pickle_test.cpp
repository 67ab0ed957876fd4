#include "trainer/import/pickle.h"

#include <gtest/gtest.h>

#include "converter/temporary_folder.h"
#include "trainer/import/damage.h"
#include "trainer/import/pickle_writer.h"

namespace moefb::trainer::pickle {
namespace {

using testing::contains;
using testing::PickleWriter;

std::string refusal(const std::vector<std::byte>& bytes) {
  return testing::message_of([&] { Pickle(bytes, "x.pt"); });
}

std::string refusal(PickleWriter writer) {
  return refusal(writer.done());
}

TEST(Pickle, ReadsScalars) {
  PickleWriter writer;
  writer.mark().none().boolean(true).integer(-3).number(0.25).text("h\xc3\xa9").raw("K\xff").raw("M\x01\x02");
  writer.raw(std::string("J\xfe\xff\xff\xff")).raw(std::string("\x8a\x00", 2)).raw("\x8a\x01\x80").tuple();
  const Pickle pickle(writer.done(), "x.pt");
  const auto& items = pickle.root().items;
  ASSERT_EQ(items.size(), 10u);
  EXPECT_EQ(items[0]->kind, Kind::kNone);
  EXPECT_EQ(items[1]->kind, Kind::kBool);
  EXPECT_EQ(items[1]->integer, 1);
  EXPECT_EQ(items[2]->integer, -3);
  EXPECT_EQ(items[3]->number, 0.25);
  EXPECT_EQ(items[4]->text, "h\xc3\xa9");
  EXPECT_EQ(items[5]->integer, 255);
  EXPECT_EQ(items[6]->integer, 513);
  EXPECT_EQ(items[7]->integer, -2);
  EXPECT_EQ(items[8]->integer, 0);
  EXPECT_EQ(items[9]->integer, -128);
}

TEST(Pickle, ReadsContainersAndWhatWasStoredBefore) {
  PickleWriter writer;
  writer.dict().raw("q").raw(std::string(1, '\0')).mark();  // {} as number 0
  writer.text("list").raw("]").integer(1).raw("a").mark().integer(2).integer(3).raw("e");
  writer.text("pair").integer(4).integer(5).raw("\x86").raw("q\x01");  // (4, 5) as number 1
  writer.set_items().text("again").raw("h\x01").raw("s");
  const Pickle pickle(writer.done(), "x.pt");
  const Object& root = pickle.root();
  ASSERT_EQ(root.kind, Kind::kDict);
  ASSERT_NE(root.find("list"), nullptr);
  EXPECT_EQ(root.find("list")->items.size(), 3u);
  EXPECT_EQ(root.find("pair"), root.find("again"));
  EXPECT_EQ(root.find("pair")->items[1]->integer, 5);
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Pickle, ADictMayBeSetTwiceAndHoldItself) {
  PickleWriter writer;
  writer.dict().raw("q\x01").text("k").integer(1).raw("s").text("k").raw("h\x01").raw("s");
  const Pickle pickle(writer.done(), "x.pt");
  EXPECT_EQ(pickle.root().find("k"), &pickle.root());
}

TEST(Pickle, ReadsATensor) {
  PickleWriter writer;
  writer.tensor("FloatStorage", "7", 12, 2, {2, 3}, {3, 1});
  const Pickle pickle(writer.done(), "x.pt");
  const Object& tensor = pickle.root();
  ASSERT_EQ(tensor.kind, Kind::kTensor);
  EXPECT_EQ(tensor.integer, 2);
  EXPECT_EQ(tensor.items[0]->dtype, "Float");
  EXPECT_EQ(tensor.items[0]->text, "7");
  EXPECT_EQ(tensor.items[0]->integer, 12);
  EXPECT_EQ(tensor.items[1]->items[1]->integer, 3);
  EXPECT_EQ(tensor.items[2]->items[0]->integer, 3);
}

TEST(Pickle, AParameterIsItsTensor) {
  PickleWriter writer;
  writer.global("torch._utils", "_rebuild_parameter").mark().tensor("FloatStorage", "0", 1, 0, {}, {});
  writer.boolean(true).ordered_dict().tuple().reduce();
  EXPECT_EQ(Pickle(writer.done(), "x.pt").root().kind, Kind::kTensor);
}

TEST(Pickle, RefusesToCallAnythingElse) {
  PickleWriter system;
  system.global("os", "system").mark().text("echo").tuple().reduce();
  EXPECT_EQ(refusal(system), "x.pt: pickle, byte 24: refuses to call os system with 1 arguments");
  PickleWriter full;
  full.global("collections", "OrderedDict").mark().integer(1).tuple().reduce();
  EXPECT_TRUE(contains(refusal(full), "refuses to call collections OrderedDict with 1 arguments"));
}

TEST(Pickle, RefusesOtherInstructions) {
  for (const int op : std::vector<int>{'i', 'o', 0x81, 'P', 'V', 'I', 0x95, 0x8c, 0x93, '0', '2', 'd', 'l'}) {
    const std::string message = refusal(PickleWriter().raw(std::string(1, char(op))));
    EXPECT_TRUE(contains(message, "instruction " + std::to_string(op) + " is not one that torch.save writes"));
  }
}

TEST(Pickle, RefusesOtherProtocols) {
  EXPECT_TRUE(contains(refusal(PickleWriter::unfinished("\x80\x04N.")), "expected protocol 2"));
  EXPECT_TRUE(contains(refusal(PickleWriter::unfinished("N.")), "expected protocol 2"));
  EXPECT_TRUE(contains(refusal(PickleWriter::unfinished("")), "cut short"));
}

TEST(Pickle, RefusesEveryLengthThatIsCut) {
  PickleWriter writer;
  writer.dict().raw("q\x01").mark().text("t").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}).set_items();
  testing::expect_every_cut_refused(writer.done(), [](const auto& bytes) { return refusal(bytes); });
}

TEST(Pickle, SurvivesEveryByteChanged) {
  PickleWriter writer;
  writer.dict().raw("q\x01").mark().text("t").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}).set_items();
  std::vector<std::byte> bytes = writer.done();
  for (size_t at = 0; at < bytes.size(); ++at) {
    const std::byte before = bytes[at];
    for (int value = 0; value < 256; ++value) {
      bytes[at] = std::byte(value);
      const std::string message = refusal(bytes);
      EXPECT_TRUE(message.empty() || message.starts_with("x.pt: pickle, byte ")) << message;
    }
    bytes[at] = before;
  }
}

TEST(Pickle, RefusesAnEmptyStack) {
  EXPECT_TRUE(contains(refusal(PickleWriter()), "the stack is empty"));
  EXPECT_TRUE(contains(refusal(PickleWriter().raw("R")), "the stack is empty"));
  EXPECT_TRUE(contains(refusal(PickleWriter().raw("q\x01")), "the stack is empty"));
  EXPECT_TRUE(contains(refusal(PickleWriter().none().mark().raw("\x85")), "the stack is empty")) << "not past a mark";
  EXPECT_TRUE(contains(refusal(PickleWriter().tuple()), "there is no mark"));
  EXPECT_TRUE(contains(refusal(PickleWriter().raw("h\x05")), "nothing was stored under 5"));
}

TEST(Pickle, RefusesOperandsOfAnotherKind) {
  EXPECT_TRUE(contains(refusal(PickleWriter().integer(1).none().raw("a")), "expected a list, found a int"));
  EXPECT_TRUE(contains(refusal(PickleWriter().dict().mark().none().set_items()), "a key without a value"));
  EXPECT_TRUE(contains(refusal(PickleWriter().none().empty_tuple().reduce()), "expected a global, found a None"));
  EXPECT_TRUE(contains(refusal(PickleWriter().none().dict().raw("b")), "expected a dict, found a None"));
  EXPECT_TRUE(contains(refusal(PickleWriter().raw("\x8a\x09").raw(std::string(9, '\1'))), "at most 8 bytes, found 9"));
}

TEST(Pickle, RefusesStoragesThatAreNone) {
  const auto storage = [](const std::string& word, const std::string& type, bool has_size) {
    PickleWriter writer;
    writer.mark().text(word).global("torch", type).text("0").text("cpu");
    if (has_size) writer.integer(1);
    return refusal(writer.tuple().raw("Q"));
  };
  EXPECT_EQ(storage("storage", "FloatStorage", true), "");
  EXPECT_TRUE(contains(storage("module", "FloatStorage", true), "expected a storage"));
  EXPECT_TRUE(contains(storage("storage", "Storage", true), "expected a storage type of torch, found torch Storage"));
  EXPECT_TRUE(contains(storage("storage", "Size", true), "expected a storage type of torch, found torch Size"));
  EXPECT_TRUE(contains(storage("storage", "FloatStorage", false), "expected a storage of 5 items, found 4"));
}

}  // namespace
}  // namespace moefb::trainer::pickle
