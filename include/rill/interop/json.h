// Tensors as JSON lists and back, for nlohmann::json: `json j = t; Tensor u = j.get<rill::Tensor>();`. Opt-in: needs its header.
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rill/core/tensor.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

namespace rill {

/// "[2, 3]" as a list of sizes.
inline void to_json(nlohmann::json& j, const Dims& d) { j = d.vec(); }
inline void from_json(const nlohmann::json& j, Dims& d) { d = Dims(j.get<std::vector<std::int64_t>>()); }
inline void to_json(nlohmann::json& j, Dtype d) { j = std::string(to_string(d)); }

namespace detail {
template <class T> nlohmann::json nested(const T*& values, const Shape& shape, int axis) {
  if (axis == shape.rank()) return *values++;
  nlohmann::json list = nlohmann::json::array();
  for (std::int64_t i = 0; i < shape[axis]; ++i) list.push_back(nested(values, shape, axis + 1));
  return list;
}
/// Walks nested lists; every list of one depth must have the same length.
struct JsonReader {
  Shape shape;
  std::vector<double> floats;
  std::vector<std::int64_t> integers;
  bool floating = false, boolean = true;
  int leaf_depth = -1;

  void read(const nlohmann::json& j, int depth) {
    if (j.is_array()) {
      if (depth >= kMaxRank) throw ShapeError("from_json", "lists are nested deeper than 64 levels");
      const auto n = static_cast<std::int64_t>(j.size());
      if (depth == shape.rank() && leaf_depth < 0) shape.push_back(n);
      if (depth >= shape.rank() || shape[depth] != n || depth == leaf_depth)
        throw ShapeError("from_json", "a list of " + std::to_string(n) + " items at depth " + std::to_string(depth) + " does not fit the others; rows must have one length");
      for (const auto& item : j) read(item, depth + 1);
      return;
    }
    if (!j.is_number() && !j.is_boolean()) throw ValueError("from_json", std::string("found ") + j.type_name() + ", which is not an element; use numbers, booleans and lists of them");
    if (j.is_number_unsigned() && j.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
      throw ValueError("from_json", j.dump() + " does not fit into int64");
    if (leaf_depth < 0) leaf_depth = depth;
    if (leaf_depth != depth || depth != shape.rank()) throw ShapeError("from_json", "an element at depth " + std::to_string(depth) + " does not fit the others; rows must have one nesting");
    floating |= j.is_number_float();
    boolean &= j.is_boolean();
    floats.push_back(j.is_boolean() ? j.get<bool>() : j.get<double>());
    integers.push_back(j.is_boolean() ? j.get<bool>() : j.is_number_float() ? 0 : j.get<std::int64_t>());
  }
};
}  // namespace detail

/// Nested lists of the values in logical order; a 0-dim tensor becomes a number. NaN and infinities become null when written.
inline void to_json(nlohmann::json& j, const Tensor& t) {
  if (t.dtype() == Dtype::boolean) {
    const auto bytes = t.to_vector<std::uint8_t>();
    std::unique_ptr<bool[]> values(new bool[bytes.size() + 1]);
    for (std::size_t i = 0; i < bytes.size(); ++i) values[i] = bytes[i] != 0;
    const bool* p = values.get();
    j = detail::nested(p, t.shape(), 0);
  } else if (is_floating(t.dtype())) {
    const auto values = t.to_vector<double>();
    const double* p = values.data();
    j = detail::nested(p, t.shape(), 0);
  } else {
    const auto values = t.to_vector<std::int64_t>();
    const std::int64_t* p = values.data();
    j = detail::nested(p, t.shape(), 0);
  }
}
/// Integers give int64, booleans bool, anything with a fraction the default floating dtype. ShapeError for ragged lists, ValueError
/// for other content.
inline void from_json(const nlohmann::json& j, Tensor& t) {
  detail::JsonReader reader;
  reader.read(j, 0);
  const bool empty = reader.floats.empty();
  if (reader.floating || empty) t = tensor(std::span<const double>(reader.floats), reader.shape, {.dtype = default_dtype()});
  else t = tensor(std::span<const std::int64_t>(reader.integers), reader.shape, {.dtype = reader.boolean ? Dtype::boolean : Dtype::int64});
}

}  // namespace rill
