// Normalisation and embedding.
#include <rill/autograd/gradcheck.h>
#include <rill/core/threads.h>
#include <rill/ops/embedding.h>
#include <rill/ops/norm.h>
#include <rill/ops/random.h>

#include "test/support/derivative_goldens.h"

using namespace rill;

namespace {

const std::map<std::string, RunGolden> kOps = {
    {"layer_norm", [](auto& g, auto& x) -> List { return {layer_norm(x[0], g.list(0), optional(x[1]), optional(x[2]), g.number(1))}; }},
    {"rms_norm", [](auto& g, auto& x) -> List { return {rms_norm(x[0], g.list(0), optional(x[1]), g.number(1) < 0 ? std::optional<double>() : g.number(1))}; }},
    {"group_norm", [](auto& g, auto& x) -> List { return {group_norm(x[0], g.integer(0), optional(x[1]), optional(x[2]), g.number(1))}; }},
    {"batch_norm",
     [](auto& g, auto& x) -> List {
       const Tensor m = x[1].clone(), v = x[2].clone();
       const bool training = g.integer(0) == 1;
       const Tensor y = batch_norm(x[0], m, v, optional(x[3]), optional(x[4]), {.training = training, .momentum = g.number(1), .eps = g.number(2)});
       CHECK(y.is_contiguous(MemoryFormat::channels_last) >= (x[0].dim() == 4 && x[0].is_contiguous(MemoryFormat::channels_last)));
       return training ? List{y, m, v} : List{y};
     }},
    {"instance_norm",
     [](auto& g, auto& x) -> List {
       const Tensor m = x[1].clone(), v = x[2].clone();
       const bool own = g.integer(0) == 1;
       const Tensor y = instance_norm(x[0], m, v, optional(x[3]), optional(x[4]), {.use_input_stats = own, .momentum = g.number(1), .eps = g.number(2)});
       return own ? List{y, m, v} : List{y};
     }},
    {"local_response_norm", [](auto& g, auto& x) -> List { return {local_response_norm(x[0], g.integer(0), g.number(1), g.number(2), g.number(3))}; }},
    {"embedding", [](auto& g, auto& x) -> List { return {embedding(x[0], x[1], g.integer(0) == 99 ? std::optional<std::int64_t>() : g.integer(0))}; }},
    {"embedding_bag",
     [](auto& g, auto& x) -> List {
       EmbeddingBagOptions o{.mode = static_cast<BagMode>(g.integer(0)), .include_last_offset = g.integer(2) == 1, .per_sample_weights = optional(x[3])};
       if (g.integer(1) != 99) o.padding_idx = g.integer(1);
       return {embedding_bag(x[0], x[1], optional(x[2]), o)};
     }},
};

}  // namespace

TEST_CASE("normalisation and embedding agree with PyTorch up to the second derivative", "[ops][norm][embedding]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/norm_goldens.txt", kOps);
}
