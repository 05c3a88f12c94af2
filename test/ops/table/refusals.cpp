// What rows refuse: undefined inputs, other dtypes, wrong calls, and everything at the ends of the range.
#include "test/support/catch.h"

#include <sys/resource.h>

#include <fstream>

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

/// While it lives, the process gets at most `more` further bytes: huge tensors are refused by the system instead of swallowed lazily.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t more) {
    getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = pages * 4096 + more;
    if (kUsed) setrlimit(RLIMIT_AS, &limit);
  }
  ~MemoryLimit() { if (kUsed) setrlimit(RLIMIT_AS, &before_); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  static constexpr bool kUsed = false;  // their shadow memory needs the address space
#else
  static constexpr bool kUsed = true;
#endif

 private:
  rlimit before_{};
};

/// Runs f and, where its result can be differentiated, backward. Anything but success and a rill::Error is a failure.
template <class F> void succeeds_or_refuses(F f) {
  std::string message;
  try {
    const Tensor out = f();
    if (out.requires_grad() && out.numel() < 1 << 20) sum(out).backward();
    return;
  } catch (const Error& e) {
    message = e.what();
    INFO(message);
    CHECK(message.find(": ") != std::string::npos);
  } catch (const std::exception& e) {
    FAIL_CHECK("neither success nor a rill::Error: " << e.what());
  }
}

Args tracked(const std::vector<Input>& inputs, Dtype dtype) {
  Args args = draw_inputs(inputs, dtype, 10);
  for (const Tensor& a : args)
    if (is_floating(a.dtype())) a.requires_grad_();
  return args;
}

}  // namespace

TEST_CASE("every row refuses undefined inputs and other dtypes", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Args args = draw_inputs(row.inputs, usual_dtype(row), 9);
    for (std::size_t k = 0; k < std::min(args.size(), row.required); ++k) {
      Args missing = args;
      missing[k] = Tensor();
      INFO("undefined input " << k);
      CHECK_THROWS_AS(row.run(missing), Error);
    }
    for (const Dtype d : dtypes_of(kAll & ~row.kinds & ~row.also)) {
      INFO(to_string(d));
      CHECK_THROWS_AS(row.run(draw_inputs(row.inputs, d, 9)), DtypeError);
    }
  }
}

TEST_CASE("wrong calls are refused with the whole sentence", "[table]") {
  for (const Row& row : rows())
    for (const ErrorCase& e : row.errors) {
      std::string text = "no exception", kind;
      bool right = false;
      try {
        e.run();
      } catch (const std::exception& x) {
        text = x.what(), right = e.is(x);
      }
      INFO(row.name << " in " << e.file << ":" << e.line);
      CHECK(text == e.text);
      CHECK(right);
    }
}

TEST_CASE("attributes, sizes and indices at the ends of the range succeed or are refused", "[table]") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const MemoryLimit limit(std::size_t{256} << 20);
  for (const Row& row : rows())
    for (std::size_t c = 0; c < row.corners.size(); ++c)
      for (const std::int64_t k : {-kMost - 1, -kMost, std::int64_t{-1} << 62, std::int64_t{-1} << 31, std::int64_t{-6}, std::int64_t{-5}, std::int64_t{-4}, std::int64_t{-3}, std::int64_t{-2}, std::int64_t{-1},
                                   std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{4}, std::int64_t{5}, std::int64_t{6}, std::int64_t{1} << 31, std::int64_t{1} << 62, kMost}) {
        if (!MemoryLimit::kUsed && (k == std::int64_t{1} << 31 || k == std::int64_t{-1} << 31)) continue;  // tensors of gigabytes would be made
        INFO(row.name << ", corner " << c << ", value " << k);
        succeeds_or_refuses([&] { return row.corners[c](tracked(row.inputs, usual_dtype(row, true)), k); });
      }
}

TEST_CASE("empty axes, single elements and other ranks succeed or are refused", "[table]") {
  for (const Row& row : rows())
    for (std::size_t k = 0; k < row.inputs.size(); ++k) {
      std::vector<Shape> shapes = {{}, {0}, {1}};
      const Shape& own = row.inputs[k].shape;
      for (int a = 0; a < own.rank(); ++a)
        for (const std::int64_t size : {0, 1}) shapes.push_back(own), shapes.back()[a] = size;
      shapes.push_back(own), shapes.back().insert(0, 1);
      for (const Shape& s : shapes) {
        INFO(row.name << ", input " << k << " with shape " << to_string(s));
        std::vector<Input> inputs = row.inputs;
        inputs[k].shape = s;
        succeeds_or_refuses([&] { return row.run(tracked(inputs, usual_dtype(row, true))); });
        for (Input& in : inputs) in.shape = s;  // and all inputs alike
        succeeds_or_refuses([&] { return row.run(tracked(inputs, usual_dtype(row, true))); });
      }
    }
}

}  // namespace rill::optable
