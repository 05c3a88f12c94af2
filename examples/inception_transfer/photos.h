// Photographs in one folder per class.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rill/core/tensor.h>

namespace transfer {

enum class Part { train, validation, test };

struct Photo {
  std::string name;    // "daisy/5547758_eea9edfd54_n.jpg": below the root, with "/" on every system
  std::int64_t label;  // number of its folder among those with photographs, in the order of their names
  Part part;
};
struct Photos {
  std::string root;
  std::vector<std::string> classes;
  std::vector<Photo> list;  // by name

  std::vector<const Photo*> of(Part part) const;
};

/// Finds *.jpg and *.jpeg in any case. A photograph belongs to the same part for ever, by a hash of its name up to "_nohash_": others may be added, the
/// folder may be moved, and variants "x_nohash_1", "x_nohash_2" stay together. Percentages of all. Throws NotFound for a missing root, ValueError for
/// fewer than two classes.
Photos find_photos(const std::string& root, std::int64_t validation_percent, std::int64_t test_percent);

/// 64-bit FNV-1a.
std::uint64_t hash(const std::string& bytes, std::uint64_t start = 0xcbf29ce484222325u);

/// JPEG bytes -> float32 [1, 3, size, size] in [-1, 1], stretched bilinearly, channels-last.
rill::Tensor preprocess(const std::string& jpeg, const std::string& name, std::int64_t size);

}  // namespace transfer
