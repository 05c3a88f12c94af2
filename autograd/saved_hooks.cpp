#include "autograd/saved_hooks.h"

#include <rill/autograd/saved_tensor_hooks.h>

#include "autograd/saved.h"
#include "lib/core/check.h"

namespace rill {

struct SavedTensorHooksAccess {
  using Functions = SavedTensorHooks::Functions;
  static std::shared_ptr<const Functions> functions(const SavedTensorHooks& h) { return h.functions_; }
};

namespace {

constexpr std::uint64_t kPackMagic = 0x72696c6c5061636bull;

struct Packed {  // what the storage of a stand-in points to
  std::uint64_t magic = kPackMagic;
  std::any value;
  std::shared_ptr<const SavedTensorHooksAccess::Functions> functions;
  Shape shape;
  Dtype dtype;
  Tensor unpacked;  // of the last use
};

Packed* packed_of(const Tensor& t) {
  const auto& s = *impl(t).storage;
  return s.deleter && s.bytes == sizeof(Packed) && impl(t).numel == 0 && s.version.load(std::memory_order_relaxed) == 0x5ade0001u ? reinterpret_cast<Packed*>(s.data) : nullptr;
}

}  // namespace

SavedTensorHooks::SavedTensorHooks(Pack pack, Unpack unpack)
    : functions_(std::make_shared<const Functions>(Functions{std::move(pack), std::move(unpack)})), outer_(std::exchange(thread_state.saved_hooks, this)) {}
SavedTensorHooks::~SavedTensorHooks() { thread_state.saved_hooks = outer_; }

NoSavedHooks::NoSavedHooks() noexcept : before_(std::exchange(thread_state.saved_hooks, nullptr)) {}
NoSavedHooks::~NoSavedHooks() { thread_state.saved_hooks = before_; }

Tensor pack_saved(const Tensor& t) {
  auto functions = SavedTensorHooksAccess::functions(*thread_state.saved_hooks);
  auto packed = std::make_shared<Packed>();
  {
    NoSavedHooks off;  // ops called by `pack` keep their tensors
    const Tensor plain = make_detached(t);
    packed->value = functions->pack(plain);
  }
  packed->functions = std::move(functions);
  packed->shape = impl(t).shape;
  packed->dtype = impl(t).dtype;
  auto* memory = reinterpret_cast<std::byte*>(packed.get());
  auto storage = Storage::borrow(memory, sizeof(Packed), impl(t).device, [packed]() mutable { packed.reset(); });
  storage->version = 0x5ade0001u;
  Tensor stand_in = adopt(new TensorImpl(impl(t).dtype, impl(t).device, Shape{0}, Strides{1}, std::move(storage)));
  if (Node* n = node_of(impl(t))) set_history(stand_in, Ref<Node>::share(n), impl(t).slot);
  return stand_in;
}

const Tensor* unpack_stand_in(const Tensor& t) {
  Packed* p = packed_of(t);
  if (!p || p->magic != kPackMagic) return nullptr;
  Tensor value;
  {
    NoSavedHooks off;
    value = p->functions->unpack(p->value);
  }
  check<GradError>(value.defined() && value.shape() == p->shape && value.dtype() == p->dtype, "saved tensor hooks", "unpack returned {} for a tensor {} {}; return what pack was given",
                   describe(value), p->dtype, p->shape);
  value = make_detached(value);
  if (Node* n = node_of(impl(t))) set_history(value, Ref<Node>::share(n), impl(t).slot);
  p->unpacked = std::move(value);
  return &p->unpacked;
}

}  // namespace rill
