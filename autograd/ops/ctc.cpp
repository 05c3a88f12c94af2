// Connectionist temporal classification. One kernel makes the forward variables, another one the gradient from them.
#include <rill/ops/elementwise.h>
#include <rill/ops/loss.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include <vector>

#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

using Int = std::int64_t;
constexpr const char* kCtc = "ctc_loss";

std::vector<Int> integers(const char* name, const Tensor& t) {
  check_defined(kCtc, t, name);
  check<DtypeError>(t.dtype() == Dtype::int64 || t.dtype() == Dtype::int32, kCtc, "{} have dtype {}, expected int64 or int32; convert with .to(int64)", name, t.dtype());
  return t.to_vector<Int>();
}

/// The targets of a batch, checked; lives as long as the tape needs it.
struct Batch {
  std::vector<Int> labels, starts, target_lengths, input_lengths;
  Int blank, longest = 0;

  Batch(const Tensor& x, const Tensor& targets, const Tensor& inputs, const Tensor& lengths, Int blank)
      : labels(integers("targets", targets)), target_lengths(integers("target_lengths", lengths)), input_lengths(integers("input_lengths", inputs)), blank(blank) {
    const Int steps = x.size(0), samples = x.size(1), classes = x.size(2);
    check<ValueError>(blank >= 0 && blank < classes, kCtc, "blank is {}, but classes are 0 to {}", blank, classes - 1);
    const auto n = static_cast<std::size_t>(samples);
    check<ShapeError>(input_lengths.size() == n && target_lengths.size() == n, kCtc, "{} samples need {} input_lengths and target_lengths, got {} and {}", samples, samples,
                      input_lengths.size(), target_lengths.size());
    const bool rows = targets.dim() == 2;
    check<ShapeError>(rows ? targets.size(0) == samples : targets.dim() == 1, kCtc, "targets have shape {}; expected [{}, S] or all labels one after the other", targets.shape(), samples);
    const Int room = rows ? targets.size(1) : targets.numel();
    Int used = 0;
    for (std::size_t i = 0; i < n; ++i) {
      check<ValueError>(input_lengths[i] >= 0 && input_lengths[i] <= steps, kCtc, "input length {} of sample {} is outside [0, {}], the steps there are", input_lengths[i], i, steps);
      check<ValueError>(target_lengths[i] >= 0 && target_lengths[i] <= room, kCtc, "target length {} of sample {} is outside [0, {}], the labels there are", target_lengths[i], i, room);
      starts.push_back(rows ? static_cast<Int>(i) * room : used);
      used += target_lengths[i];
      longest = std::max(longest, target_lengths[i]);
    }
    check<ShapeError>(rows || used == room, kCtc, "target_lengths add up to {}, but there are {} labels", used, room);
    for (std::size_t i = 0; i < n; ++i)
      for (Int k = 0; k < target_lengths[i]; ++k) {
        const Int label = labels[static_cast<std::size_t>(starts[i] + k)];
        check<IndexError>(label >= 0 && label < classes, kCtc, "label {} at position {} of sample {} is outside [0, {})", label, k, i, classes);
        check<ValueError>(label != blank, kCtc, "label {} at position {} of sample {} is the blank; targets hold no blanks", label, k, i);
      }
  }
  CtcTargets view() const { return {labels.data(), starts.data(), target_lengths.data(), input_lengths.data(), blank}; }
};

}  // namespace

Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths, const CtcOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&ctc_loss, log_probabilities, targets, input_lengths, target_lengths, o);
  const OpRange here("ctc_loss", log_probabilities, targets, input_lengths, target_lengths);
  check_defined(kCtc, log_probabilities, "log_probabilities");
  check_defined(kCtc, targets, "targets");
  check<DtypeError>(is_floating(log_probabilities.dtype()), kCtc, "log_probabilities have dtype {}; expected a floating dtype", log_probabilities.dtype());
  check<ShapeError>(log_probabilities.dim() == 2 || log_probabilities.dim() == 3, kCtc, "log_probabilities have shape {}; expected [T, N, C] or [T, C]", log_probabilities.shape());
  if (log_probabilities.dim() == 2) {
    const Tensor one = ctc_loss(log_probabilities.unsqueeze(1), targets, input_lengths, target_lengths, o);
    return o.reduction == Reduction::none ? one.squeeze(0) : one;
  }
  const Dtype compute = compute_dtype(log_probabilities.dtype());
  const Tensor x = log_probabilities.to(compute);
  const auto batch = std::make_shared<const Batch>(x, targets, input_lengths, target_lengths, o.blank);
  const Shape variables{x.size(1), x.size(0), 2 * batch->longest + 1};
  checked_numel(kCtc, variables, Dtype::float64);
  Tensor alpha = make_tensor(variables, Dtype::float64, x.device()), raw = make_tensor({x.size(1)}, Dtype::float64, x.device());
  const Tensor in = x.detach().contiguous();
  kernels(x).ctc(view(in), batch->view(), view(raw), view(alpha));
  Tensor losses = o.zero_infinity ? where(isinf(raw), 0, raw) : raw;
  losses = losses.to(compute);
  if (losses.is_same(raw)) losses = raw.clone();  // the caller may write to what it gets
  losses = record(kCtc, std::move(losses), grad(x, [x = save(x), batch, alpha, raw, zero = o.zero_infinity](const Tensor& g) {
    refuse_second_gradient(kCtc, g, x());
    const Tensor in = x().detach().contiguous(), scale = g.detach().to(Dtype::float64).contiguous();
    Tensor out = make_tensor(impl(in).shape, impl(in).dtype, impl(in).device);
    kernels(in).ctc_gradient(view(in), batch->view(), view(raw), view(alpha), view(scale), zero, view(out));
    return out;
  }));
  if (o.reduction == Reduction::sum) losses = sum(losses);
  if (o.reduction == Reduction::mean) losses = mean(losses / clamp(target_lengths.to(compute).reshape({-1}), 1));
  return losses.to(log_probabilities.dtype());
}

}  // namespace rill
