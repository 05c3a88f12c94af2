#include "test/examples/workbench.h"

using Catch::Matchers::Contains;

TEST_CASE("char_gpt learns a line by heart and writes it, and a resumed training writes the same checkpoint", "[examples]") {
  Workbench w;
  std::string text;
  for (int i = 0; i < 30; ++i) text += "so it goes, and so it went.\n";
  spill(w / "text", text);
  const std::string common = "--data text --context 12 --width 32 --layers 1 --heads 2 --lr 0.01 --warmup 5 --eval-every 50 --eval-batches 2 --report-every 50 --steps 150 ";
  REQUIRE(w.run(CHAR_GPT, common + "--save-every 150 --checkpoint-dir whole --sample 28 --temperature 0 --prompt \"so it goes\"") == 0);
  CHECK_THAT(w.output, Contains("840 characters, 14 different") && Contains("characters/s") && Contains("step 100  validation loss ") && Contains("so it goes, and so it went.\nso it goes"));
  CHECK(w.number_after("step 150  validation loss ") < 0.3);
  REQUIRE(w.run(CHAR_GPT, common + "--save-every 70 --keep 3 --checkpoint-dir parts --sample 0") == 0);
  std::filesystem::remove(w.path / "parts/checkpoint-000000150.safetensors");
  std::filesystem::remove(w.path / "parts/checkpoint-000000140.safetensors");
  REQUIRE(w.run(CHAR_GPT, common + "--save-every 150 --checkpoint-dir parts --resume --sample 5 --top-k 2") == 0);
  CHECK_THAT(w.output, Contains("resumed at step 70"));
  CHECK(slurp(w / "whole/checkpoint-000000150.safetensors") == slurp(w / "parts/checkpoint-000000150.safetensors"));

  spill(w / "short", "too short");
  check_calls(w, CHAR_GPT, {{"--help", 0, "--top-k N"},
                            {"", 2, "char_gpt: --data is missing; --help lists the flags"},
                            {"--data nowhere", 1, "error: open: \"nowhere\": no such file"},
                            {"--data short", 1, "error: train: the text has 9 characters; a tenth of it must be more than a context of 64"},
                            {"--data text --heads 3", 1, "error: Gpt: 3 heads do not divide a width of 128"}});
}
