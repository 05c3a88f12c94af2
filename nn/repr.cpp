#include "nn/repr.h"

#include "lib/core/check.h"

namespace rill::nn::repr {

std::string number(double v) {
  std::string text = fmt::format("{}", v);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";  // "inf" and "nan" stay as they are
  return text;
}
std::string tuple(const Dims& values) {
  std::string text = "(";
  for (int i = 0; i < values.rank(); ++i) text += (i ? ", " : "") + std::to_string(values[i]);
  return text + (values.rank() == 1 ? ",)" : ")");
}
std::string tuple(const PerAxis& values, int axes) {
  Dims all;
  for (int i = 0; i < axes; ++i) all.push_back(values[i]);
  return tuple(all);
}
std::string given(const PerAxis& values) {
  if (values.count() == 0) return "None";
  return values.count() == 1 ? std::to_string(values[0]) : tuple(values, values.count());
}

}  // namespace rill::nn::repr
