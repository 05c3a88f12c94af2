// Variables by name, as code written for TensorFlow's get_variable wants them. The store is a module: its state, under names like
// "layer1/weights", is the variables.
//
//   nn::VariableStore store;
//   auto layer = [&](const Tensor& x, std::int64_t units) {
//     auto scope = store.scope("layer", {.reuse = nn::Reuse::automatic});
//     return matmul(x, store.get("weights", {x.size(1), units}));      // "layer/weights": made the first time, found afterwards
//   };
//
// A store and its scopes belong to one thread at a time; it is not moved while a scope is open.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <rill/autograd/name_scope.h>
#include <rill/nn/module.h>

namespace rill::nn {

/// Whether `get` makes variables or finds them. Scopes inside one of `reuse` or `automatic` are the same whatever they ask for.
enum class Reuse : std::uint8_t { create, reuse, automatic };

using Initializer = std::function<void(const Tensor&)>;
/// A term of the loss for one variable; an undefined result is none.
using Regularizer = std::function<Tensor(const Tensor&)>;

/// What a scope gives the variables in it and, unless they say otherwise, the scopes in it.
struct VariableScopeOptions {
  Reuse reuse = Reuse::create;
  Initializer initializer = {};
  Regularizer regularizer = {};
  std::optional<Dtype> dtype = {};
  std::optional<bool> trainable = {};
};
struct VariableOptions {
  Initializer initializer = {};            ///< default: the scope's, else glorot_uniform for floating dtypes, zeros for others
  Regularizer regularizer = {};
  std::optional<Dtype> dtype = {};         ///< default: the scope's, else the default floating dtype
  std::optional<bool> trainable = {};      ///< default: the scope's, else true; variables of other than floating dtypes never are
};

/// A variable scope, to be opened again with VariableStore::scope(): a handle.
class VariableScope {
 public:
  /// "a/b"; empty at the root.
  const std::string& name() const noexcept;
  /// The name scope that was opened with it, "a_1/b/": NameScope(original_name_scope()) opens it again.
  const std::string& original_name_scope() const noexcept;
  Reuse reuse() const noexcept;
  /// From here on `get` in this scope finds variables and makes none.
  void reuse_variables() const;

 private:
  friend class VariableStore;
  struct Settings;
  explicit VariableScope(std::shared_ptr<Settings> settings) : settings_(std::move(settings)) {}
  std::shared_ptr<Settings> settings_;
};

class VariableStore : public Module {
 public:
  VariableStore();
  VariableStore(const VariableStore& other);
  VariableStore(VariableStore&&) = default;
  VariableStore& operator=(const VariableStore& other);
  VariableStore& operator=(VariableStore&&) = default;
  ~VariableStore() override;
  void parts(Parts& p) override;

  /// A scope while it lives, and with it a name scope for ops, made unique ("foo", then "foo_1") where the names of variables are not.
  class Open : public VariableScope {
   public:
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    friend class VariableStore;
    Open(VariableStore& store, std::shared_ptr<Settings> settings, std::unique_ptr<NameScope> names, bool jump);
    VariableStore* store_;
    std::shared_ptr<Settings> before_;
    std::unique_ptr<NameScope> names_;
    std::optional<std::map<std::string, int>> counts_;  // of default names, when a scope object was opened
  };
  /// "b" in "a" is "a/b"; "" is the scope that is open, with other options.
  Open scope(const std::string& name, const VariableScopeOptions& options = {});
  /// That scope itself, wherever it is opened, with its own settings.
  Open scope(const VariableScope& scope, const VariableScopeOptions& options = {});
  /// A new scope inside the one that is open: "Conv", then "Conv_1". ValueError with another reuse than create.
  Open default_scope(const std::string& name, const VariableScopeOptions& options = {});
  VariableScope current_scope() const;

  /// The variable of the open scope's name + "/" + name, made or found as the scope says (name scopes do not count). When it is found, the
  /// initializer, regularizer and trainable flag are not looked at. ValueError when it exists and should not, or the other way round; ShapeError
  /// and DtypeError when it has another shape or dtype, with both.
  Tensor get(const std::string& name, const Shape& shape, const VariableOptions& options = {}, const char* file = __builtin_FILE(), int line = __builtin_LINE());
  /// The same with a first value in place of shape, dtype and initializer.
  Tensor get(const std::string& name, const Tensor& value, const VariableOptions& options = {}, const char* file = __builtin_FILE(), int line = __builtin_LINE());
  bool contains(const std::string& full_name) const { return index_.contains(full_name); }
  /// The terms that the regularizers make of the variables as they are now, in the order in which these were made.
  std::vector<Tensor> losses() const;

 private:
  struct Variable {
    std::string name;
    Parameter trained;
    Buffer fixed;  // one of the two, the other is absent
    Regularizer regularizer;
    const char* file;
    int line;
    const Tensor& value() const { return trained.defined() ? static_cast<const Tensor&>(trained) : fixed; }
  };
  Open open(std::shared_ptr<VariableScope::Settings> settings, const std::string& names, const VariableScopeOptions& options, bool jump);
  const Variable* known(const std::string& full, const Shape& shape, std::optional<Dtype> dtype) const;
  Tensor add(Variable variable, const Tensor& value, const VariableOptions& options);

  std::vector<Variable> variables_;
  std::map<std::string, std::size_t> index_;
  std::shared_ptr<VariableScope::Settings> current_;
  std::map<std::string, int> counts_;  // how often each scope was opened, for default names
};

}  // namespace rill::nn
