#include "test/support/catch.h"

#include <cmath>
#include <filesystem>

#include <rill/io/checkpoint.h>
#include <rill/ops/create.h>

#include "test/support/faulty_files.h"
#include "test/support/scratch.h"

using namespace rill;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::vector<std::int64_t> steps_in(const std::string& folder) {
  std::vector<std::int64_t> steps;
  for (const auto& file : io::list_checkpoints(folder)) steps.push_back(file.step);
  return steps;
}
NamedTensors weights(double value) { return {{"w", full({2, 3}, value)}, {"n", tensor({7})}}; }
int files_in(const std::string& folder) { return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator())); }

}  // namespace

TEST_CASE("a checkpoint brings back tensors and every kind of state exactly", "[io][checkpoint]") {
  const ScratchFolder folder;
  const io::State state = {{"lr", 0.1}, {"epoch", std::int64_t{1} << 62}, {"done", true}, {"note", std::string("a \"b\" \xc3\xa9\n")}, {"tiny", 5e-324}};
  const std::string path = io::save_checkpoint(folder / "new/deep", 12, weights(0.1), state);
  CHECK(path == folder / "new/deep/checkpoint-000000012.safetensors");
  const io::Checkpoint c = io::load_checkpoint(path);
  CHECK(c.step == 12);
  CHECK(find(c.tensors, "w").to_vector<float>() == std::vector<float>(6, 0.1f));
  CHECK(io::get<double>(c.state, "lr") == 0.1);
  CHECK(io::get<double>(c.state, "tiny") == 5e-324);
  CHECK(io::get<std::int64_t>(c.state, "epoch") == std::int64_t{1} << 62);
  CHECK(io::get<double>(c.state, "epoch") == std::ldexp(1.0, 62));
  CHECK(io::get<bool>(c.state, "done"));
  CHECK(io::get<std::string>(c.state, "note") == "a \"b\" \xc3\xa9\n");
  CHECK_THROWS_WITH(io::get<double>(c.state, "momentum"), "get: the state has no entry \"momentum\"");
  CHECK_THROWS_WITH(io::get<std::int64_t>(c.state, "note"), "get: state entry \"note\" is a string, expected an integer");
  CHECK_THROWS_AS(io::get<bool>(c.state, "lr"), DataLoss);
}

TEST_CASE("the newest keep checkpoints stay, other files are never touched", "[io][checkpoint]") {
  const ScratchFolder folder;
  spill(folder / "notes.txt", "mine");
  spill(folder / "checkpoint-x.safetensors", "mine");
  spill(folder / "checkpoint-.safetensors", "mine");
  spill(folder / ".checkpoint-000000001.safetensors.tmp-123", "left over");
  for (int step = 1; step <= 5; ++step) io::save_checkpoint(folder.path.string(), step, weights(step), {}, {.keep = 3});
  CHECK(steps_in(folder.path.string()) == std::vector<std::int64_t>{3, 4, 5});
  CHECK(files_in(folder.path.string()) == 6);
  CHECK(io::latest_checkpoint(folder.path.string())->step == 5);
  // going back to an earlier step: the file just written is never the one removed
  io::save_checkpoint(folder.path.string(), 1, weights(1), {}, {.keep = 1});
  CHECK(fs::exists(folder / "checkpoint-000000001.safetensors"));
  io::save_checkpoint(folder.path.string(), 10, weights(1), {}, {.keep = 0, .prefix = "best"});
  CHECK(io::latest_checkpoint(folder.path.string(), "best")->step == 10);
  CHECK(steps_in(folder / "absent").empty());
  CHECK_FALSE(io::latest_checkpoint(folder / "absent"));
}

TEST_CASE("a failure at any moment of a save leaves the former checkpoints as they were", "[io][checkpoint]") {
  const ScratchFolder folder;
  io::save_checkpoint(folder.path.string(), 1, weights(1));
  const std::string before = slurp(folder / "checkpoint-000000001.safetensors");
  int failures = 0;
  for (int k = 1; k < 100; ++k) {
    FaultyFiles files;
    files.fail_at = k;
    files.error = ENOSPC;
    try {
      io::save_checkpoint(folder.path.string(), 2, weights(2), {}, {.keep = 1, .files = &files});
      CHECK(k > 4);
      break;
    } catch (const NotCommitted& e) {
      ++failures;
      INFO(e.what());
      CHECK(steps_in(folder.path.string()) == std::vector<std::int64_t>{1});
      CHECK(files_in(folder.path.string()) == 1);
      CHECK(io::load_latest_checkpoint(folder.path.string()).checkpoint->step == 1);
    } catch (const DurabilityUncertain&) {  // after the rename: the new one is there, the old one not yet removed
      CHECK(steps_in(folder.path.string()) == std::vector<std::int64_t>{1, 2});
      fs::remove(folder / "checkpoint-000000002.safetensors");
    }
    CHECK(slurp(folder / "checkpoint-000000001.safetensors") == before);
  }
  CHECK(failures >= 4);
  CHECK(steps_in(folder.path.string()) == std::vector<std::int64_t>{2});
}

TEST_CASE("damaged checkpoints are detected and stepped back from", "[io][checkpoint]") {
  const ScratchFolder folder;
  for (int step = 1; step <= 3; ++step) io::save_checkpoint(folder.path.string(), step, weights(step));
  const std::string good = slurp(folder / "checkpoint-000000003.safetensors");
  for (std::size_t n = 0; n < good.size(); n += 7) {
    spill(folder / "checkpoint-000000003.safetensors", good.substr(0, n));
    CHECK_THROWS_AS(io::load_checkpoint(folder / "checkpoint-000000003.safetensors"), DataLoss);
  }
  std::string flipped = good;
  flipped[flipped.size() - 3] = static_cast<char>(flipped[flipped.size() - 3] ^ 4);
  spill(folder / "checkpoint-000000003.safetensors", flipped);
  spill(folder / "checkpoint-000000002.safetensors", "");
  const auto latest = io::load_latest_checkpoint(folder.path.string());
  REQUIRE(latest.checkpoint);
  CHECK(latest.checkpoint->step == 1);
  REQUIRE(latest.skipped.size() == 2);
  CHECK_THAT(latest.skipped[0], Contains("checkpoint-000000003.safetensors"));
  CHECK_FALSE(io::load_latest_checkpoint(folder / "absent").checkpoint);
}

TEST_CASE("files that are no checkpoints are refused with the reason", "[io][checkpoint]") {
  const ScratchFolder folder;
  CHECK_THROWS_AS(io::load_checkpoint(folder / "absent"), NotFound);
  spill(folder / "text", "hello, this is no checkpoint");
  CHECK_THROWS_AS(io::load_checkpoint(folder / "text"), Error);
  const std::string foreign = R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  spill(folder / "foreign", std::string{static_cast<char>(foreign.size()), 0, 0, 0, 0, 0, 0, 0} + foreign + "x");
  CHECK_THROWS_WITH(io::load_checkpoint(folder / "foreign"), Contains("carries no checksums; it was not written by save_checkpoint"));
  io::save_safetensors(folder / "weights", weights(1));
  CHECK_THROWS_WITH(io::load_checkpoint(folder / "weights"), Contains("holds tensors but no training state; read it with load_safetensors"));
  io::save_safetensors(folder / "odd", weights(1), {{"state", "{\"step\": \"three\"}"}});
  CHECK_THROWS_WITH(io::load_checkpoint(folder / "odd"), "get: state entry \"step\" is a string, expected an integer");
  for (const char* text : {"", "[]", "{", "{\"a\":{}}", "{\"a\":[1]}", "{\"a\":null}", "{\"a\":1,\"a\":2}", "3", "{} x", "{\"a\":18446744073709551615}"})
    CHECK_THROWS_AS(io::state_from_json(text), DataLoss);
}

TEST_CASE("saving refuses what could not be read back and writes nothing", "[io][checkpoint]") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH(io::save_checkpoint(folder / "c", -1, weights(1)), "save_checkpoint: step -1 is negative");
  CHECK_THROWS_WITH(io::save_checkpoint(folder / "c", 1, weights(1), {{"lr", NAN}}), "to_json: state entry \"lr\" is not finite, which JSON cannot hold");
  CHECK_THROWS_AS(io::save_checkpoint(folder / "c", 1, weights(1), {{"x", std::string("\xff")}}), ValueError);
  CHECK_THROWS_AS(io::save_checkpoint(folder / "c", 1, weights(1), {}, {.keep = -1}), ValueError);
  CHECK_THROWS_AS(io::save_checkpoint(folder / "c", 1, weights(1), {}, {.prefix = "a/b"}), ValueError);
  CHECK_THROWS_AS(io::save_checkpoint(folder / "c", 1, {{"w", Tensor()}}), ValueError);
  CHECK((!fs::exists(folder / "c") || fs::is_empty(folder / "c")));
  spill(folder / "file", "");
  CHECK_THROWS_AS(io::save_checkpoint(folder / "file", 1, weights(1)), NotCommitted);
}
