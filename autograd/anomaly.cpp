#include "autograd/anomaly.h"

#include <rill/autograd/anomaly.h>
#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "autograd/name_scope.h"
#include "autograd/record.h"
#include "autograd/saved_hooks.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

#if __has_include(<execinfo.h>) && __has_include(<dlfcn.h>)
#include <dlfcn.h>
#include <execinfo.h>
#define RILL_HAS_BACKTRACE
#endif

namespace rill {
namespace {

constinit thread_local const Region* t_region = nullptr;
constinit thread_local bool t_forward = false;

bool has_nan(const Tensor& t) {
  if (!is_floating(impl(t).dtype)) return false;
  NoGrad off;
  NoSavedHooks plain;
  const bool anomaly = std::exchange(thread_state.anomaly, false), noted = std::exchange(thread_state.noted, false);
  const bool found = any(isnan(t.detach())).item<bool>();
  thread_state.anomaly = anomaly, thread_state.noted = noted;
  return found;
}

/// "main.cpp:12 (step), in encoder > block 2".
std::string regions() {
  if (!t_region) return {};
  std::string at = fmt::format(" at {}:{} ({})", t_region->file(), t_region->line(), t_region->function()), labels;
  for (const Region* r = t_region; r; r = r->outer())
    if (!r->label().empty()) labels = labels.empty() ? r->label() : r->label() + " > " + labels;
  return labels.empty() ? at : at + ", in " + labels;
}

/// Offsets that addr2line turns into lines, innermost first.
std::string call_stack() {
  std::string s;
#ifdef RILL_HAS_BACKTRACE
  void* frames[40];
  const int n = backtrace(frames, 40);
  std::string module;
  for (int i = 3; i < n; ++i) {  // skip this function and its callers in this file
    Dl_info info;
    if (!dladdr(frames[i], &info) || !info.dli_fname) continue;
    if (module != info.dli_fname) module = info.dli_fname, s += fmt::format("{}addr2line -Cfpe {}", s.empty() ? "" : "; ", module);
    s += fmt::format(" {:#x}", static_cast<char*>(frames[i]) - static_cast<char*>(info.dli_fbase) - 1);  // the call, not the return address
  }
#endif
  return s;
}

/// The ops that led here, nearest first, along the first input.
std::string chain(const Node& node) {
  std::string s;
  const Node* n = &node;
  for (int i = 0; i < 6; ++i) {
    const Node* next = nullptr;
    for (const Edge& e : n->edge_list())
      if (!next && e.node) next = e.node.get();
    if (!next) break;
    n = next;
    s += fmt::format(" <- {}", n->op);
    if (n->leaf) s += fmt::format(" {}", static_cast<const LeafNode*>(n)->shape);
  }
  return s;
}

}  // namespace

AnomalyMode::AnomalyMode(bool on, AnomalyOptions options) : on_(std::exchange(thread_state.anomaly, on)), forward_(std::exchange(t_forward, options.check_forward)) { update_noted(); }
AnomalyMode::~AnomalyMode() {
  thread_state.anomaly = on_, t_forward = forward_;
  update_noted();
}

Region::Region(std::string label, const char* file, int line, const char* function)
    : label_(std::move(label)), file_(file), line_(line), function_(function), outer_(std::exchange(t_region, this)) {}
Region::~Region() { t_region = outer_; }

void detail::note_forward_slow(const char* op, const Tensor& out) {
  update_noted();  // a profile that has ended leaves the flag of other threads set
  Node* node = node_of(impl(out));
  if (!node) return;
  if (profiler::running()) node->extra().module = profiler::current_module();
  if (naming()) name_recorded(*node, out);
  if (!thread_state.anomaly) return;
  std::string& trace = node->extra().trace;
  trace = fmt::format("it made {}{}{}", describe(out), chain(*node), regions());
  if (const std::string stack = call_stack(); !stack.empty()) trace += "; call stack: " + stack;
  if (t_forward && has_nan(out)) fail<GradError>(op, "forward made a NaN; {}", trace);
}

void throw_if_nan(const Node& node, const Tensor& g) {
  if (!has_nan(g)) return;
  fail<GradError>(node.op, "backward made a NaN; {}", node.extras && !node.extras->trace.empty() ? node.extras->trace : "forward ran before anomaly mode was on" + chain(node));
}

}  // namespace rill
