#include <rill/autograd/graph.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "autograd/node.h"
#include "lib/core/check.h"

namespace rill {
namespace {

struct Walk {
  std::vector<const Node*> order;  // outputs before inputs
  std::unordered_map<const Node*, std::size_t> number;
};

Walk walk(const Tensor& t) {
  Walk w;
  std::vector<const Node*> stack;
  if (const Node* root = current_node(t)) stack.push_back(root);
  std::unordered_set<const Node*> seen(stack.begin(), stack.end());
  while (!stack.empty()) {
    const Node* n = stack.back();
    stack.pop_back();
    w.order.push_back(n);
    const auto edges = n->edge_list();
    for (std::size_t i = edges.size(); i-- > 0;)  // the first input first
      if (const Node* next = edges[i].node.get(); next && seen.insert(next).second) stack.push_back(next);
  }
  std::stable_sort(w.order.begin(), w.order.end(), [](const Node* a, const Node* b) { return a->depth > b->depth; });
  for (std::size_t i = 0; i < w.order.size(); ++i) w.number[w.order[i]] = i;
  return w;
}

std::unordered_map<const Node*, std::string> names_of(const NamedTensors& names) {
  std::unordered_map<const Node*, std::string> result;
  for (const auto& [name, t] : names)
    if (t.defined())
      if (const Node* n = current_node(t)) result.emplace(n, name);
  return result;
}

std::string label(const Node* n, const std::unordered_map<const Node*, std::string>& names) {
  std::string s = n->op;
  if (n->leaf) {
    const auto* leaf = static_cast<const LeafNode*>(n);
    s += fmt::format(" {} {}", leaf->dtype, leaf->shape);
  }
  if (n->extras && !n->extras->name.empty()) s += " " + n->extras->name;
  if (const auto it = names.find(n); it != names.end()) s += " " + it->second;
  if (n->released) s += " (released)";
  return s;
}

std::string quoted(const std::string& s) {
  std::string r = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\') r += '\\';
    r += c;
  }
  return r + '"';
}

}  // namespace

std::string graph_text(const Tensor& t, const NamedTensors& given) {
  check_defined("graph_text", t);
  const Walk w = walk(t);
  const auto names = names_of(given);
  std::string out;
  for (std::size_t i = 0; i < w.order.size(); ++i) {
    out += fmt::format("n{} {}", i, label(w.order[i], names));
    const char* separator = " <- ";
    for (const Edge& e : w.order[i]->edge_list()) {
      out += separator;
      out += e.node ? fmt::format("n{}", w.number.at(e.node.get())) + (e.slot ? fmt::format(".{}", e.slot) : "") : "-";
      separator = ", ";
    }
    out += '\n';
  }
  return out;
}

std::string graph_dot(const Tensor& t, const NamedTensors& given) {
  check_defined("graph_dot", t);
  const Walk w = walk(t);
  const auto names = names_of(given);
  std::string out = "digraph tape {\n  rankdir=BT;\n  node [shape=box, fontname=monospace];\n";
  for (std::size_t i = 0; i < w.order.size(); ++i) out += fmt::format("  n{} [label={}{}];\n", i, quoted(label(w.order[i], names)), w.order[i]->leaf ? ", style=filled" : "");
  for (std::size_t i = 0; i < w.order.size(); ++i)
    for (const Edge& e : w.order[i]->edge_list())
      if (e.node) out += fmt::format("  n{} -> n{};\n", w.number.at(e.node.get()), i);
  return out + "}\n";
}

std::vector<std::string> unused_leaves(const Tensor& t, const NamedTensors& parameters) {
  check_defined("unused_leaves", t);
  const Walk w = walk(t);
  std::vector<std::string> names;
  for (const auto& [name, p] : parameters)
    if (p.defined() && p.requires_grad() && !w.number.contains(current_node(p))) names.push_back(name);
  return names;
}

std::vector<std::string> without_grad(const NamedTensors& parameters) {
  std::vector<std::string> names;
  for (const auto& [name, p] : parameters)
    if (p.defined() && p.requires_grad() && !p.grad().defined()) names.push_back(name);
  return names;
}

}  // namespace rill
