// Shares out the units of a recurrent step to threads.
#include "backends/cpu/rnn.h"

#include <algorithm>

#include "backends/api/backend.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kLine = 1024;   // units of a row that are handled at once
constexpr std::int64_t kTask = 4096;   // units that are worth a task: each needs about five exponentials

/// run(row, first, count) for all pieces of rows x units.
template <class Run> void for_lines(std::int64_t rows, std::int64_t units, Run run) {
  if (units == 0) return;
  const std::int64_t pieces = (units + kLine - 1) / kLine;
  parallel_for(rows * pieces, std::max<std::int64_t>(1, kTask / std::min(units, kLine)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t first = t % pieces * kLine;
      run(t / pieces, first, std::min(kLine, units - first));
    }
  });
}
const RnnKernels::RnnLines& lines(Dtype d) { return cpu_kernels().rnn_lines[d == Dtype::float64]; }

template <auto kLines, class Step> void step(Dtype d, const Step& s) {
  const auto line = lines(d).*kLines;
  for_lines(s.rows, s.units, [&](std::int64_t row, std::int64_t first, std::int64_t count) { line(s, row, first, count); });
}

}  // namespace

void add_rnn(RnnKernels& k) {
  using Lines = RnnKernels::RnnLines;
  k.lstm_step = &step<&Lines::lstm, LstmStep>;
  k.lstm_step_gradient = &step<&Lines::lstm_gradient, LstmStep>;
  k.gru_step = &step<&Lines::gru, GruStep>;
  k.gru_step_gradient = &step<&Lines::gru_gradient, GruStep>;
}

}  // namespace rill::cpu
