// The example programs on a CUDA device; skipped visibly without one.
#include "test/cuda/backends.h"
#include "test/examples/workbench.h"

using Catch::Matchers::Contains;

TEST_CASE("programs learn on a CUDA device as they do on the CPU", "[examples][device]") {
  if (!rill::cuda::is_available()) SKIP(rill::cuda::why_unavailable());
  Workbench w;
  REQUIRE(w.run(XOR, "--device cuda") == 0);
  CHECK(w.number_after("with hidden layer: loss ") < 1e-3);
  REQUIRE(w.run(SINE_LSTM, "--steps 300 --train 2000 --test 200 --report-every 100 --device cuda") == 0);
  CHECK(w.number_after("root mean squared error: ") < w.number_after("root mean squared error before training: ") / 5);
  std::string text;
  for (int i = 0; i < 30; ++i) text += "so it goes, and so it went.\n";
  spill(w / "text", text);
  REQUIRE(w.run(CHAR_GPT, "--data text --context 12 --width 32 --layers 1 --heads 2 --lr 0.01 --warmup 5 --eval-every 50 --eval-batches 2 --steps 150 --sample 28 --temperature 0 --prompt \"so it goes\" --device cuda") == 0);
  CHECK(w.number_after("step 150  validation loss ") < 0.3);
}

TEST_CASE("programs refuse a device that is none", "[examples]") {
  Workbench w;
  check_calls(w, XOR, {{"--device gpu", 2, "device: \"gpu\" is no device; use cpu, cuda or cuda:1"}, {"--device cuda:-1", 2, "is no device"}});
  if (!rill::cuda::is_available()) check_calls(w, XOR, {{"--device cuda", 1, "cuda:0 cannot be used"}});
}
