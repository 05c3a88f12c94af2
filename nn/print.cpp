#include <rill/nn/print.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include <rill/nn/containers.h>

namespace rill::nn {
namespace {

/// The tree of dotted names. A node without a module stands for a vector of modules in a module.
struct Node {
  const Module* module = nullptr;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> children = {};

  Node& child(const std::string& name) {
    for (auto& [key, node] : children)
      if (key == name) return *node;
    return *children.emplace_back(name, std::make_unique<Node>()).second;
  }
  bool is_list() const {
    if (module) return dynamic_cast<const ModuleList*>(module) && !dynamic_cast<const Sequential*>(module);
    for (std::size_t i = 0; i < children.size(); ++i)
      if (children[i].first != std::to_string(i)) return false;
    return true;
  }
  std::string head() const { return module ? module->describe() : is_list() ? "ModuleList()" : "ModuleDict()"; }
};

std::string text(const Node& node);

/// "(name): text", a line each; in lists, equal members that follow one another share one: "(0-2): 3 x text".
std::vector<std::string> children_text(const Node& node) {
  std::vector<std::string> lines;
  for (std::size_t i = 0, end; i < node.children.size(); i = end) {
    const auto& [name, child] = node.children[i];
    const std::string one = text(*child);
    end = i + 1;
    if (node.is_list())
      while (end < node.children.size() && text(*node.children[end].second) == one) ++end;
    lines.push_back(end == i + 1 ? "(" + name + "): " + one : "(" + std::to_string(i) + "-" + std::to_string(end - 1) + "): " + std::to_string(end - i) + " x " + one);
  }
  return lines;
}

std::string text(const Node& node) {
  const std::string head = node.head();
  if (node.children.empty()) return head;
  const auto open = head.find('(');
  std::string result = head.substr(0, open + 1);
  const auto add = [&](const std::string& lines) {  // two spaces deeper
    result += "\n  ";
    for (const char c : lines) result += c == '\n' ? std::string("\n  ") : std::string(1, c);
  };
  if (const std::string arguments = head.substr(open + 1, head.size() - open - 2); !arguments.empty()) add(arguments);
  for (const std::string& lines : children_text(node)) add(lines);
  return result + "\n)";
}

}  // namespace

std::string to_string(const Module& module) {
  Node root;
  for (const auto& [path, part] : const_cast<Module&>(module).named_modules()) {
    Node* node = &root;
    for (std::size_t from = 0; !path.empty() && from != std::string::npos;) {
      const auto dot = path.find('.', from);
      node = &node->child(path.substr(from, dot == std::string::npos ? dot : dot - from));
      from = dot == std::string::npos ? dot : dot + 1;
    }
    node->module = part;
  }
  return text(root);
}

void print(const Module& module) { std::puts(to_string(module).c_str()); }

}  // namespace rill::nn
