// Opt-in: fmt::format("{}", tensor), also for Shape, Dtype and Device.
#pragma once

#include <fmt/format.h>

#include <string>

#include <rill/core/tensor.h>

#define RILL_FORMATTER(Type)                                                                         \
  template <> struct fmt::formatter<Type> : fmt::formatter<std::string> {                            \
    template <class C> auto format(const Type& value, C& context) const {                            \
      return fmt::formatter<std::string>::format(std::string(rill::to_string(value)), context);      \
    }                                                                                                \
  };
RILL_FORMATTER(rill::Tensor)
RILL_FORMATTER(rill::Dims)
RILL_FORMATTER(rill::Dtype)
RILL_FORMATTER(rill::Device)
#undef RILL_FORMATTER
