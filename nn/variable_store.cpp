#include <rill/nn/variable_store.h>

#include <utility>

#include <rill/autograd/grad_mode.h>
#include <rill/nn/init.h>
#include <rill/ops/create.h>

#include "lib/core/check.h"

namespace rill::nn {

struct VariableScope::Settings {
  std::string name, original_name_scope;
  Reuse reuse = Reuse::create;
  Initializer initializer;
  Regularizer regularizer;
  std::optional<Dtype> dtype;
  std::optional<bool> trainable;

  std::string inside(const std::string& child) const { return name.empty() ? child : name + "/" + child; }
  void change(const VariableScopeOptions& o) {
    if (o.reuse != Reuse::create) reuse = o.reuse;
    if (o.initializer) initializer = o.initializer;
    if (o.regularizer) regularizer = o.regularizer;
    if (o.dtype) dtype = o.dtype;
    if (o.trainable) trainable = o.trainable;
  }
};

const std::string& VariableScope::name() const noexcept { return settings_->name; }
const std::string& VariableScope::original_name_scope() const noexcept { return settings_->original_name_scope; }
Reuse VariableScope::reuse() const noexcept { return settings_->reuse; }
void VariableScope::reuse_variables() const { settings_->reuse = Reuse::reuse; }

VariableStore::VariableStore() : current_(std::make_shared<VariableScope::Settings>()) {}
VariableStore::~VariableStore() = default;
// Scopes that are open belong to the original.
VariableStore::VariableStore(const VariableStore& other) : Module(other), variables_(other.variables_), index_(other.index_), current_(std::make_shared<VariableScope::Settings>()) {}
VariableStore& VariableStore::operator=(const VariableStore& other) {
  Module::operator=(other);
  variables_ = other.variables_, index_ = other.index_;
  return *this;
}

void VariableStore::parts(Parts& p) {
  for (Variable& v : variables_) p(v.name, v.trained)(v.name, v.fixed);  // one of them is absent
}

// ---- scopes -----------------------------------------------------------------------------------------------------------------------

VariableStore::Open::Open(VariableStore& store, std::shared_ptr<Settings> settings, std::unique_ptr<NameScope> names, bool jump)
    : VariableScope(settings), store_(&store), before_(std::exchange(store.current_, settings)), names_(std::move(names)) {
  ++store.counts_[settings->name];
  if (jump) counts_ = store.counts_;
}
VariableStore::Open::~Open() {
  store_->current_ = before_;
  if (counts_) {
    store_->counts_ = *std::move(counts_);
    return;
  }
  for (auto& [name, count] : store_->counts_)  // default names inside start again
    if (name.starts_with(this->name() + "/")) count = 0;
}

VariableStore::Open VariableStore::open(std::shared_ptr<VariableScope::Settings> settings, const std::string& names, const VariableScopeOptions& options, bool jump) {
  auto scope = names.empty() ? nullptr : std::make_unique<NameScope>(names);
  if (!jump && scope) settings->original_name_scope = scope->name() + "/";
  settings->change(options);
  return Open(*this, std::move(settings), std::move(scope), jump);
}

VariableStore::Open VariableStore::scope(const std::string& name, const VariableScopeOptions& options) {
  auto settings = std::make_shared<VariableScope::Settings>(*current_);
  if (!name.empty()) settings->name = current_->inside(name);
  return open(std::move(settings), name, options, false);
}
VariableStore::Open VariableStore::scope(const VariableScope& scope, const VariableScopeOptions& options) {
  auto settings = std::make_shared<VariableScope::Settings>(*scope.settings_);
  const std::string& name = settings->name;
  const std::string last = name.substr(name.rfind('/') + 1);  // the whole name when there is no slash
  return open(std::move(settings), last, options, true);
}
VariableStore::Open VariableStore::default_scope(const std::string& name, const VariableScopeOptions& options) {
  check<ValueError>(options.reuse == Reuse::create, "default_scope", "a default name is new each time, so nothing can be reused in \"{}\"; use scope() with a name", name);
  check<ValueError>(!name.empty(), "default_scope", "the name is empty; pass one, as \"Conv\"");
  std::string own = name;
  const auto taken = [&](const std::string& child) {
    const auto found = counts_.find(current_->inside(child));
    return found != counts_.end() && found->second > 0;
  };
  for (int i = 1; taken(own); ++i) own = name + "_" + std::to_string(i);
  auto settings = std::make_shared<VariableScope::Settings>(*current_);
  settings->name = current_->inside(own);
  return open(std::move(settings), name, options, false);
}
VariableScope VariableStore::current_scope() const { return VariableScope(current_); }

// ---- variables --------------------------------------------------------------------------------------------------------------------

/// The variable if it is to be reused, null if it is to be made.
const VariableStore::Variable* VariableStore::known(const std::string& full, const Shape& shape, std::optional<Dtype> dtype) const {
  constexpr const char* op = "VariableStore::get";
  check<ValueError>(!full.empty() && !full.ends_with('/'), op, "the name is empty; pass one, as \"weights\"");
  const auto found = index_.find(full);
  if (found == index_.end()) {
    check<ValueError>(current_->reuse != Reuse::reuse, op, "variable {} does not exist, and its scope reuses; make it in a scope with Reuse::create or Reuse::automatic", full);
    return nullptr;
  }
  const Variable& v = variables_[found->second];
  check<ValueError>(current_->reuse != Reuse::create, op, "variable {} already exists, made at {}:{}; to use it again open its scope with Reuse::reuse or Reuse::automatic", full, v.file, v.line);
  const Tensor& value = v.value();
  check<ShapeError>(value.shape() == shape, op, "variable {} has shape {}, asked for with {}; it was made at {}:{}", full, value.shape(), shape, v.file, v.line);
  check<DtypeError>(!dtype || value.dtype() == *dtype, op, "variable {} is {}, asked for as {}; it was made at {}:{}", full, value.dtype(), dtype.value_or(value.dtype()), v.file, v.line);
  return &v;
}

Tensor VariableStore::add(Variable v, const Tensor& value, const VariableOptions& o) {
  value.set_name(v.name);
  if (value.is_floating_point() && o.trainable.value_or(current_->trainable.value_or(true))) v.trained = Parameter(value), v.trained.set_name(v.name);
  else v.fixed = Buffer(value), v.fixed.set_name(v.name);
  v.regularizer = o.regularizer ? o.regularizer : current_->regularizer;
  index_.emplace(v.name, variables_.size());
  variables_.push_back(std::move(v));
  return variables_.back().value();
}

Tensor VariableStore::get(const std::string& name, const Shape& shape, const VariableOptions& o, const char* file, int line) {
  const std::string full = current_->inside(name);
  const auto dtype = o.dtype ? o.dtype : current_->dtype;
  if (const Variable* v = known(full, shape, dtype.value_or(default_dtype()))) return v->value();
  const Tensor value = empty(shape, {.dtype = dtype.value_or(default_dtype())});
  const Initializer& initializer = o.initializer ? o.initializer : current_->initializer;
  const NoGrad off;
  if (initializer) initializer(value);
  else if (value.is_floating_point()) init::glorot_uniform_(value, init::Layout::in_out);
  else value.zero_();
  return add({full, {}, {}, {}, file, line}, value, o);
}

Tensor VariableStore::get(const std::string& name, const Tensor& value, const VariableOptions& o, const char* file, int line) {
  check_defined("VariableStore::get", value, "the value");
  check<ValueError>(!o.initializer && (!o.dtype || *o.dtype == value.dtype()), "VariableStore::get", "the value of {} is given, so it has a dtype and needs no initializer; leave them out", name);
  const std::string full = current_->inside(name);
  if (const Variable* v = known(full, value.shape(), value.dtype())) return v->value();
  return add({full, {}, {}, {}, file, line}, value.detach().clone(), o);
}

std::vector<Tensor> VariableStore::losses() const {
  std::vector<Tensor> list;
  for (const Variable& v : variables_) {
    if (!v.regularizer) continue;
    if (Tensor term = v.regularizer(v.value()); term.defined()) list.push_back(std::move(term));
  }
  return list;
}

}  // namespace rill::nn
