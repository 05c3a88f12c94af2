// Training checkpoints: one safetensors file per saved step, "checkpoint-000012000.safetensors". The tensors are the weights,
// averages and optimizer state; counters and settings are JSON in the metadata entry "state", so that everything a run needs to go
// on bit for bit is committed in one atomic step.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <rill/io/safetensors.h>

namespace rill::io {

/// Counters and settings: `{{"epoch", 3}, {"lr", 0.1}, {"note", "warm"}}`. Numbers survive exactly.
using StateValue = std::variant<bool, std::int64_t, double, std::string>;
using State = std::map<std::string, StateValue>;
/// The value of that type; throws DataLoss when the key is missing or holds another type (an integer is accepted as a double).
template <class T> T get(const State& state, const std::string& key);
/// The JSON text of a state, and back. Throws ValueError for a double that is not finite, DataLoss for text that is not a flat object.
std::string to_json(const State& state);
State state_from_json(const std::string& text);

struct Checkpoint {
  std::string path;
  std::int64_t step = 0;
  NamedTensors tensors;
  State state;
};
struct CheckpointFile {
  std::string path;
  std::int64_t step = 0;
};
struct CheckpointOptions {
  int keep = 5;                       ///< older ones are removed after the new one is safe; 0 keeps all
  std::string prefix = "checkpoint";  ///< of the file names
  FileSystem* files = nullptr;        ///< system_files() by default
};

/// Saves into `folder`, which is made when missing, and returns the path of the file. Savers of one folder take turns (a lock on
/// the folder); leftovers of savers that died are removed. Throws as save_safetensors; the former checkpoints stay as they are.
std::string save_checkpoint(const std::string& folder, std::int64_t step, const NamedTensors& tensors, const State& state = {}, const CheckpointOptions& options = {});
/// Complete checkpoints by step, oldest first. A missing folder holds none.
std::vector<CheckpointFile> list_checkpoints(const std::string& folder, const std::string& prefix = "checkpoint");
std::optional<CheckpointFile> latest_checkpoint(const std::string& folder, const std::string& prefix = "checkpoint");
/// Throws NotFound, and DataLoss unless every checksum of the file holds.
Checkpoint load_checkpoint(const std::string& path);

struct LatestCheckpoint {
  std::optional<Checkpoint> checkpoint;  ///< the newest that could be read
  std::vector<std::string> skipped;      ///< newer ones that could not, with the reason
};
/// Steps back from damaged files, and tolerates files that vanish between listing and opening.
LatestCheckpoint load_latest_checkpoint(const std::string& folder, const std::string& prefix = "checkpoint");

}  // namespace rill::io
