#include "test/examples/workbench.h"

using Catch::Matchers::Contains;

TEST_CASE("ptb_lstm learns a small language, and a resumed training writes the same checkpoint", "[examples]") {
  Workbench w;
  std::string text;
  for (int i = 0; i < 40; ++i) text += i % 3 ? " the cat sat on the mat \n" : " a dog saw the cat \n";
  for (const char* part : {"train", "valid", "test"}) spill(w / (std::string("ptb.") + part + ".txt"), text);
  const std::string common = "--data . --hidden 16 --unroll 5 --batch 4 --report-every 10 ";
  REQUIRE(w.run(PTB_LSTM, common + "--steps 60 --save-every 50 --checkpoint-dir whole") == 0);
  CHECK_THAT(w.output, Contains("267 training, 267 validation, 267 test tokens, 9 words; 13 steps per epoch") && Contains("words/s") && Contains("epoch 4  train perplexity "));
  const double first = w.number_after("epoch 1  train perplexity ");
  CHECK(first < 12);
  CHECK(first > 5);
  CHECK(w.number_after("validation perplexity: ") < 3);
  CHECK(w.number_after("test perplexity: ") < 3);
  REQUIRE(w.run(PTB_LSTM, common + "--steps 43 --save-every 50 --checkpoint-dir parts") == 0);  // inside an epoch
  REQUIRE(w.run(PTB_LSTM, common + "--steps 60 --save-every 50 --checkpoint-dir parts --resume") == 0);
  CHECK_THAT(w.output, Contains("resumed at step 43"));
  CHECK(slurp(w / "whole/checkpoint-000000060.safetensors") == slurp(w / "parts/checkpoint-000000060.safetensors"));

  for (const std::string size : {"medium", "large", "course"}) REQUIRE(w.run(PTB_LSTM, common + "--steps 2 --size " + size) == 0);
  check_calls(w, PTB_LSTM, {{"--help", 0, "--unroll N"},
                            {"", 2, "ptb_lstm: --data is missing; --help lists the flags"},
                            {"--data . --size huge", 2, "ptb_lstm: --size is \"huge\", expected small, medium, large or course"},
                            {"--data nowhere", 1, "error: open: \"nowhere/ptb.train.txt\": no such file"},
                            {common + "--batch 100", 1, "error: TokenBatches: 267 tokens do not fill a batch of 100 rows and 5 steps"}});
}
