#include <rill/nn/embedding.h>

#include <rill/autograd/grad_mode.h>
#include <rill/nn/init.h>
#include <rill/ops/create.h>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

Parameter new_table(const char* layer, std::int64_t entries, std::int64_t features, const Options& o) {
  check_size(layer, "the number of entries", entries);
  check_size(layer, "the number of features", features);
  return Parameter(empty({entries, features}, o));
}

Parameter given_table(const char* layer, const Tensor& table) {
  check_defined(layer, table, "the table");
  check<ShapeError>(table.dim() == 2, layer, "the table has shape {}; expected [entries, features]", table.shape());
  Parameter weight(table);
  weight.Tensor::requires_grad_(false);
  return weight;
}

/// Checks the options; padding_idx becomes one from the front.
template <class O> void adjust(const char* layer, const Tensor& table, O& o) {
  const std::int64_t n = table.size(0);
  if (o.padding_idx) {
    check<ValueError>(*o.padding_idx >= -n && *o.padding_idx < n, layer, "padding_idx {} is outside the table of {} entries; valid are {} to {}", *o.padding_idx, n, -n, n - 1);
    if (*o.padding_idx < 0) *o.padding_idx += n;
  }
  if (o.max_norm) check_positive(layer, "max_norm", *o.max_norm);
  check_positive(layer, "norm_type", o.norm_type);
}

void draw(const Tensor& table, std::optional<std::int64_t> padding) {
  init::normal_(table);
  if (!padding) return;
  const NoGrad off;
  table.select(0, *padding).zero_();
}

template <class O> std::string norm_text(const O& o) {
  return (o.max_norm ? ", max_norm=" + repr::number(*o.max_norm) : "") + (o.norm_type == 2 ? "" : ", norm_type=" + repr::number(o.norm_type));
}

template <class O> const char* frequency_text(const O& o) { return o.scale_grad_by_freq ? ", scale_grad_by_freq=True" : ""; }

}  // namespace

Embedding::Embedding(std::int64_t entries, std::int64_t features, const EmbeddingOptions& o) : Embedding(new_table("Embedding", entries, features, o.tensor), o) { draw(weight, options.padding_idx); }
Embedding::Embedding(Parameter table, const EmbeddingOptions& o) : weight(std::move(table)), options(o) { adjust("Embedding", weight, options); }
Embedding Embedding::from_pretrained(const Tensor& table, const EmbeddingOptions& o) { return {given_table("Embedding", table), o}; }

Tensor Embedding::operator()(const Tensor& index) const {
  return call(index, [&](const Tensor& index) {
    if (options.max_norm) embedding_renorm_(weight, index, *options.max_norm, options.norm_type);
    return embedding(weight, index, options.padding_idx, options.scale_grad_by_freq);
  });
}
std::string Embedding::describe() const {
  return fmt::format("{}({}, {}", class_name(*this), weight.size(0), weight.size(1)) + (options.padding_idx ? fmt::format(", padding_idx={}", *options.padding_idx) : "") + norm_text(options) +
         frequency_text(options) + ")";
}

EmbeddingBag::EmbeddingBag(std::int64_t entries, std::int64_t features, const EmbeddingBagOptions& o) : EmbeddingBag(new_table("EmbeddingBag", entries, features, o.tensor), o) {
  draw(weight, options.padding_idx);
}
EmbeddingBag::EmbeddingBag(Parameter table, const EmbeddingBagOptions& o) : weight(std::move(table)), options(o) {
  adjust("EmbeddingBag", weight, options);
  check<ValueError>(!o.scale_grad_by_freq || o.mode != BagMode::max, "EmbeddingBag", "scale_grad_by_freq does not go with mode max");
}
EmbeddingBag EmbeddingBag::from_pretrained(const Tensor& table, const EmbeddingBagOptions& o) { return {given_table("EmbeddingBag", table), o}; }

Tensor EmbeddingBag::operator()(const Tensor& index, const Tensor& offsets, const Tensor& per_sample_weights) const {
  return call(index, [&](const Tensor& index) {
    if (options.max_norm) embedding_renorm_(weight, index, *options.max_norm, options.norm_type);
    return embedding_bag(weight, index, offsets,
                         {.mode = options.mode,
                          .padding_idx = options.padding_idx,
                          .include_last_offset = options.include_last_offset,
                          .per_sample_weights = per_sample_weights,
                          .scale_grad_by_freq = options.scale_grad_by_freq});
  });
}
std::string EmbeddingBag::describe() const {
  constexpr const char* kModes[] = {"sum", "mean", "max"};
  return fmt::format("{}({}, {}{}{}, mode='{}'", class_name(*this), weight.size(0), weight.size(1), norm_text(options), frequency_text(options), kModes[static_cast<int>(options.mode)]) +
         (options.padding_idx ? fmt::format(", padding_idx={})", *options.padding_idx) : ")");
}

}  // namespace rill::nn
