// Look-up tables. Formulas and errors are those of rill/ops/embedding.h.
#pragma once

#include <optional>

#include <rill/nn/module.h>
#include <rill/ops/embedding.h>

namespace rill::nn {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< a row that starts with zeros and gets no gradient; negative: from the end
  std::optional<double> max_norm = {};           ///< rows that are used and have a larger norm are scaled down to it, in place
  double norm_type = 2;                          ///< p of that norm
  bool scale_grad_by_freq = false;               ///< gradients are divided by how often their row occurs in the index
  Options tensor = {};
};

/// Rows of a table [entries, features] at indices of any shape: [*, features]. The table starts normal with mean 0 and deviation 1.
/// ValueError for sizes below 1, a padding_idx outside the table, and max_norm or norm_type that are not positive.
class Embedding : public Module {
 public:
  Embedding(std::int64_t entries, std::int64_t features, const EmbeddingOptions& options = {});
  /// Takes over a table (rank 2, floating) with its row of padding as it is; options.tensor is not read. The table is frozen:
  /// requires_grad_() lets it train on.
  static Embedding from_pretrained(const Tensor& table, const EmbeddingOptions& options = {});
  Tensor operator()(const Tensor& index) const;
  void parts(Parts& p) override { p("weight", weight); }
  std::string describe() const override;

  Parameter weight;
  EmbeddingOptions options;

 private:
  Embedding(Parameter table, const EmbeddingOptions& options);
};

struct EmbeddingBagOptions {
  std::optional<double> max_norm = {};
  double norm_type = 2;
  bool scale_grad_by_freq = false;               ///< not with BagMode::max
  BagMode mode = BagMode::mean;
  bool include_last_offset = false;
  std::optional<std::int64_t> padding_idx = {};  ///< a row that takes no part
  Options tensor = {};
};

/// The sum, mean or maximum of the rows of each bag of indices, without the rows themselves in memory.
class EmbeddingBag : public Module {
 public:
  EmbeddingBag(std::int64_t entries, std::int64_t features, const EmbeddingBagOptions& options = {});
  /// As Embedding::from_pretrained.
  static EmbeddingBag from_pretrained(const Tensor& table, const EmbeddingBagOptions& options = {});
  /// See rill::embedding_bag for offsets and per_sample_weights.
  Tensor operator()(const Tensor& index, const Tensor& offsets = {}, const Tensor& per_sample_weights = {}) const;
  void parts(Parts& p) override { p("weight", weight); }
  std::string describe() const override;

  Parameter weight;
  EmbeddingBagOptions options;

 private:
  EmbeddingBag(Parameter table, const EmbeddingBagOptions& options);
};

}  // namespace rill::nn
