#include "test/support/catch.h"

#include <rill/data/text.h>
#include <rill/ops/create.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "test/support/message.h"
#include "test/support/scratch.h"

using namespace rill;
using data::Vocabulary;
using Words = std::vector<std::string>;

TEST_CASE("Vocabulary: by frequency, equal ones by their bytes", "[data][text]") {
  const auto v = Vocabulary::by_frequency({"b", "a", "c", "a", "b", "B", "<eos>"});
  CHECK(v.size() == 5);
  CHECK(v.decode(tensor({0, 1, 2, 3, 4}), " ") == "a b <eos> B c");
  CHECK(equal(v.encode(Words{"c", "a", "c"}), tensor({4, 0, 4})));
  CHECK(v.id("B") == 3);
  CHECK(v.contains("c"));
  CHECK_FALSE(v.contains("d"));
  CHECK(v.encode(Words{}).shape() == Shape{0});
  CHECK(MESSAGE(ValueError, v.id("d")) == "Vocabulary: \"d\" is none of its 5 words, and it has no \"<unk>\"");
  CHECK(MESSAGE(IndexError, v.word(5)) == "Vocabulary: there is no word 5 among 5");
  CHECK(MESSAGE(IndexError, v.word(-1)) == "Vocabulary: there is no word -1 among 5");
  CHECK(MESSAGE(ValueError, Vocabulary(Words{"a", "b", "a"})) == "Vocabulary: the word \"a\" comes twice");
  const Vocabulary open(Words{"x", "<unk>"});
  CHECK(open.id("other") == 1);
  CHECK(Vocabulary().size() == 0);
}

TEST_CASE("Vocabulary: characters in ascending order", "[data][text]") {
  const std::string text = "to be\nor not to be\xff";
  const auto v = Vocabulary::of_characters(text);
  CHECK(v.size() == 8);
  CHECK(v.word(0) == "\n");
  CHECK(v.word(1) == " ");
  CHECK(v.word(7) == "\xff");
  CHECK(v.decode(v.encode(text).view({1, -1})) == text);
  CHECK(equal(v.encode(std::string("no")), tensor({4, 5})));
  CHECK(MESSAGE(ValueError, v.encode(std::string("x"))) == "Vocabulary: \"x\" is none of its 8 words, and it has no \"<unk>\"");
}

TEST_CASE("words of files: white space separates, lines end with <eos>", "[data][text]") {
  const ScratchFolder folder;
  spill(folder / "a", " no it \n\n was\tn't <unk>\r\nlast");
  CHECK(data::read_words(folder / "a") == Words{"no", "it", "<eos>", "<eos>", "was", "n't", "<unk>", "<eos>", "last"});
  CHECK(data::read_text(folder / "a") == " no it \n\n was\tn't <unk>\r\nlast");
  spill(folder / "b", "");
  CHECK(data::read_words(folder / "b").empty());
  CHECK_THROWS_AS(data::read_words(folder / "c"), NotFound);
}

TEST_CASE("read_ptb: one vocabulary, from the training text", "[data][text]") {
  const ScratchFolder folder;
  spill(folder / "ptb.train.txt", " the cat <unk> \n the dog \n");
  spill(folder / "ptb.valid.txt", " the cow \n");
  CHECK_THROWS_AS(data::read_ptb(folder.path.string()), NotFound);
  spill(folder / "ptb.test.txt", " dog \n");
  const auto ptb = data::read_ptb(folder.path.string());
  CHECK(ptb.vocabulary.decode(arange(5), " ") == "<eos> the <unk> cat dog");
  CHECK(equal(ptb.train, tensor({1, 3, 2, 0, 1, 4, 0})));
  CHECK(equal(ptb.valid, tensor({1, 2, 0})));
  CHECK(equal(ptb.test, tensor({4, 0})));
  spill(folder / "ptb.train.txt", " the cat \n");
  CHECK_THROWS_AS(data::read_ptb(folder.path.string()), ValueError);
}

TEST_CASE("TokenBatches: rows go on from batch to batch, targets are one ahead", "[data][text]") {
  const data::TokenBatches batches(arange(26), 2, 4);  // 3 batches use 24 tokens and a target
  REQUIRE(batches.size() == 3);
  CHECK(equal(batches[0].inputs, tensor({{0, 1, 2, 3}, {12, 13, 14, 15}})));
  CHECK(equal(batches[0].targets, tensor({{1, 2, 3, 4}, {13, 14, 15, 16}})));
  CHECK(equal(batches[2].inputs, tensor({{8, 9, 10, 11}, {20, 21, 22, 23}})));
  CHECK(equal(batches[2].targets, tensor({{9, 10, 11, 12}, {21, 22, 23, 24}})));
  CHECK(data::TokenBatches(arange(24), 2, 4).size() == 2);
  CHECK(data::TokenBatches(arange(25), 2, 4).size() == 3);
  CHECK(data::TokenBatches(zeros({929589}, {.dtype = int64}), 20, 35).size() == 1327);
  CHECK(MESSAGE(IndexError, batches[3]) == "TokenBatches: there is no batch 3 among 3");
  CHECK(MESSAGE(ValueError, data::TokenBatches(arange(8), 2, 4)) == "TokenBatches: 8 tokens do not fill a batch of 2 rows and 4 steps with a target after each; 9 do");
  CHECK(MESSAGE(ValueError, data::TokenBatches(arange(8), 0, 4)) == "TokenBatches: 0 rows of 4 steps are asked for; both must be at least 1");
  CHECK(MESSAGE(DtypeError, data::TokenBatches(zeros({8}), 2, 4)) == "TokenBatches: ids are float32; expected int64");
  CHECK(MESSAGE(ShapeError, data::TokenBatches(arange(8).view({2, 4}), 2, 4)) == "TokenBatches: ids have shape [2, 4]; expected one axis");
}
