// Checkpoints of a training: where it starts, what must agree, when it saves.
#pragma once

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include <rill/core/random.h>
#include <rill/data/mnist.h>
#include <rill/io/checkpoint.h>

#include "examples/support/flags.h"

namespace examples {

/// Throws ValueError "train: name is value; expected at least least".
inline void check_least(const char* name, std::int64_t value, std::int64_t least) {
  if (value < least) throw rill::ValueError("train", std::string(name) + " is " + std::to_string(value) + "; expected at least " + std::to_string(least));
}
/// Throws ValueError when the loss is no longer finite.
inline void check_loss(double loss, std::int64_t step) {
  if (!std::isfinite(loss)) throw rill::ValueError("train", "the loss is no longer finite at step " + std::to_string(step) + "; a smaller --lr would work");
}

class Checkpoints {
 public:
  std::string folder;      // empty: no checkpoints
  bool resume = false;     // go on from the newest one, bit for bit
  bool overwrite = false;  // remove those of an earlier training
  std::int64_t save_every = 1000, keep = 5;

  void add_to(Flags& flags) {
    flags.add("checkpoint-dir", folder, "folder for checkpoints; empty: none")
        .add("save-every", save_every, "steps between checkpoints")
        .add("keep", keep, "newest checkpoints that stay; 0: all")
        .add("resume", resume, "go on from the newest checkpoint, bit for bit")
        .add("overwrite", overwrite, "remove the checkpoints of an earlier training");
  }

  /// The checkpoint to go on from, if the training is resumed; the default generator then goes on as well. `fixed` is everything that decides the
  /// course of the training. Throws ValueError when it differs from the checkpoint's, and when the folder already holds checkpoints; NotFound
  /// when there is none to resume from.
  std::optional<rill::io::Checkpoint> start(const rill::io::State& fixed) const {
    using namespace rill;
    check_least("save-every", save_every, 1), check_least("keep", keep, 0);
    if (folder.empty()) return {};
    if (!resume) {
      const auto old = io::list_checkpoints(folder);
      if (!old.empty() && !overwrite)
        throw ValueError("train", "\"" + folder + "\" already holds checkpoints up to step " + std::to_string(old.back().step) +
                                      "; go on with --resume, remove them with --overwrite or choose another --checkpoint-dir");
      for (const auto& file : old) std::filesystem::remove(file.path);
      return {};
    }
    auto latest = io::load_latest_checkpoint(folder);
    for (const auto& reason : latest.skipped) std::fprintf(stderr, "skipped: %s\n", reason.c_str());
    if (!latest.checkpoint) throw NotFound("resume", "there is no checkpoint in \"" + folder + "\"; start without --resume");
    auto& c = *latest.checkpoint;
    std::string differences;
    for (const auto& [key, value] : fixed)
      if (const auto it = c.state.find(key); it == c.state.end() || it->second != value)
        differences += (differences.empty() ? "" : ", ") + (it == c.state.end() ? "nothing" : io::to_json({*it})) + " there and " + io::to_json({{key, value}}) + " here";
    if (!differences.empty()) throw ValueError("resume", "\"" + c.path + "\" belongs to another training: " + differences + "; use the same flags");
    const Tensor generator = find(c.tensors, kGenerator);
    if (!generator.defined()) throw DataLoss("resume", "\"" + c.path + "\" holds no tensor \"" + kGenerator + "\"");
    default_generator().set_state(generator);
    std::printf("resumed at step %lld\n", static_cast<long long>(c.step));
    return std::move(latest.checkpoint);
  }

  /// Whether to save after `step` of `last` steps.
  bool due(std::int64_t step, std::int64_t last) const { return !folder.empty() && (step % save_every == 0 || step == last); }
  /// Saves also the state of the default generator.
  void save(std::int64_t step, rill::NamedTensors tensors, const rill::io::State& state) const {
    tensors.emplace_back(kGenerator, rill::default_generator().state());
    rill::io::save_checkpoint(folder, step, tensors, state, {.keep = static_cast<int>(keep)});
  }

 private:
  static constexpr const char* kGenerator = "generator";  // the tensor with the state of the random number generator
};

/// Where a data set stands, in a checkpoint.
inline void put(rill::io::State& state, const rill::data::ImageSet::Position& at) {
  state["data.epoch"] = at.epoch, state["data.index"] = at.index, state["data.order"] = at.order;
}
inline rill::data::ImageSet::Position position_of(const rill::io::State& state) {
  const auto number = [&](const char* key) { return rill::io::get<std::int64_t>(state, key); };
  return {number("data.epoch"), number("data.index"), number("data.order")};
}

}  // namespace examples
