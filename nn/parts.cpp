#include <rill/nn/module.h>

#include "lib/core/check.h"
#include "nn/parametrization_list.h"
#include "nn/place.h"

namespace rill::nn {

Parts& Parts::operator()(const std::string& name, Module& m) {
  const std::size_t length = prefix_.size();
  prefix_ += name;
  detail::set_place(m.state_.place, prefix_);
  module(prefix_, m);
  prefix_ += ".";
  m.parts(*this);
  prefix_.resize(length);
  return *this;
}

void Parts::parametrized(const std::string& name, Parameter& p) { (*this)("parametrizations." + name, *p.parametrization()); }

namespace detail {

long count_parts(const Module& m) {
  class Count final : public Parts {
   public:
    long found = 0;

   private:
    void parameter(const std::string&, Parameter&) override { ++found; }
    void parametrized(const std::string& name, Parameter& p) override { ++found, Parts::parametrized(name, p); }
    void buffer(const std::string&, Buffer&) override { ++found; }
    void transient_buffer(const std::string&, Buffer&) override { ++found; }
  } count;
  const_cast<Module&>(m).parts(count);
  return count.found;
}
void throw_parts_forgotten(long held, long named) {
  fail<FailedPrecondition>("check_parts", "the module holds {} parameters and buffers, parts() names {}; name each of them once", held, named);
}

}  // namespace detail
}  // namespace rill::nn
