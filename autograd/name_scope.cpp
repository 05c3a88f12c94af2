#include "autograd/name_scope.h"

#include <rill/autograd/name_scope.h>

#include <algorithm>
#include <utility>

#include <rill/core/profiler.h>

#include "lib/core/check.h"
#include "lib/core/thread_state.h"

namespace rill {
namespace {

constinit thread_local NameGraph* t_graph = nullptr;
constinit thread_local NameScope* t_scope = nullptr;

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
std::string lower(std::string s) {
  for (char& c : s)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return s;
}

}  // namespace

std::string UniqueNames::take(const std::string& name) {
  const std::string key = lower(name);
  const auto [entry, fresh] = uses_.try_emplace(key, 1);
  if (fresh) return name;
  std::int64_t i = entry->second++;
  while (!uses_.try_emplace(key + "_" + std::to_string(i), 1).second) ++i;
  return name + "_" + std::to_string(i);
}

NameGraph::NameGraph() : outer_(std::exchange(t_graph, this)), scope_(std::exchange(t_scope, nullptr)) { update_noted(); }
NameGraph::~NameGraph() {
  t_graph = outer_, t_scope = scope_;
  update_noted();
}

NameScope::NameScope(const std::string& name) {
  const bool root = !t_scope || t_scope->name_.empty();
  const bool legal = std::all_of(name.begin(), name.end(), [](char c) { return letter_or_digit(c) || c == '_' || c == '.' || c == '-' || c == '/'; });
  check<ValueError>(legal && (!root || name.empty() || letter_or_digit(name[0]) || name[0] == '.'), "NameScope", "\"{}\" is not a legal name; use letters, digits, _ . - and /{}", name,
                    root ? ", a letter, digit or . first" : "");
  if (!t_graph) own_ = std::make_unique<NameGraph>();
  if (name.ends_with('/')) name_ = name.substr(0, name.size() - 1);
  else if (!name.empty()) name_ = unique_name(name);
  outer_ = std::exchange(t_scope, this);
  update_noted();
}
NameScope::~NameScope() {
  t_scope = outer_;
  update_noted();
}

std::string unique_name(const std::string& name) {
  const std::string whole = t_scope && !t_scope->name_.empty() ? t_scope->name_ + "/" + name : name;
  return t_graph ? t_graph->names_.take(whole) : whole;
}

bool naming() noexcept { return t_scope != nullptr; }
void update_noted() noexcept { thread_state.noted = thread_state.anomaly || naming() || profiler::running(); }

void name_recorded(Node& node, const Tensor& out) {
  std::string& name = node.extra().name;
  name = unique_name(node.op);
  if (!impl(out).name) out.set_name(name);
}

}  // namespace rill
