// The text of an error: CHECK(MESSAGE(ShapeError, op(x)) == "op: ...").
#pragma once

#include <exception>
#include <string>

namespace rill {

/// The message of the E that f throws.
template <class E, class F> std::string message(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    return std::string("another exception: ") + e.what();
  }
  return "no exception";
}
#define MESSAGE(E, expression) message<E>([&] { (void)(expression); })

}  // namespace rill
