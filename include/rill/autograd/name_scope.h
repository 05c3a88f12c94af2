// Names for the steps of the tape: which part of a program an op belongs to. While a scope is open on a thread, recorded ops and their results
// are named after it ("layer1/add", "layer1/add_1"); graph dumps show the names, results carry them into prints and errors.
// Without an open scope nothing is named and nothing is spent.
//
//   NameScope layer1("layer1");
//   Tensor y = relu(linear(x, w));   // "layer1/linear", "layer1/relu"
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace rill {

/// Names that are taken, compared without case as TensorFlow does.
class UniqueNames {
 public:
  /// The name itself the first time, then name_1, name_2, ..., skipping what is taken. It is taken from now on.
  std::string take(const std::string& name);

 private:
  std::map<std::string, std::int64_t> uses_;  // lower case
};

/// While it lives, names on this thread are unique and start afresh: what a graph is to names in TensorFlow. Without one, the outermost
/// NameScope stands for it, so that a training loop makes the same names in every step.
class NameGraph {
 public:
  NameGraph();
  ~NameGraph();
  NameGraph(const NameGraph&) = delete;
  NameGraph& operator=(const NameGraph&) = delete;

 private:
  friend class NameScope;
  friend std::string unique_name(const std::string& name);
  UniqueNames names_;
  NameGraph* outer_;
  class NameScope* scope_;  // the one that was open
};

/// Names inside the scope that is open: "foo" in "a" is "a/foo", or "a/foo_1" the next time. A name that ends in "/" is that scope exactly, once
/// more; "" is the root. ValueError for a name with other characters than letters, digits and _ . - / (at the root not one of _ - / first).
class NameScope {
 public:
  explicit NameScope(const std::string& name);
  ~NameScope();
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;
  /// The whole path, "a/foo"; empty at the root.
  const std::string& name() const noexcept { return name_; }

 private:
  friend class NameGraph;
  friend std::string unique_name(const std::string& name);
  std::unique_ptr<NameGraph> own_;  // of an outermost scope
  std::string name_;
  NameScope* outer_;
};

/// A name in the open scope that nothing else has: what an op of this name is called. Outside scopes and graphs the name itself.
std::string unique_name(const std::string& name);

}  // namespace rill
