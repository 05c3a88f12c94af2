// A folder in which the example programs run as a user runs them.
#pragma once

#include "test/support/catch.h"

#include <cstdlib>
#include <string>

#include <sys/wait.h>

#include "test/support/scratch.h"

struct Workbench : ScratchFolder {
  std::string output;

  /// The exit status; stdout and stderr are in `output`.
  int run(const std::string& program, const std::string& arguments) {
    const int status = std::system(("cd " + path.string() + " && " + program + " " + arguments + " > out 2>&1").c_str());
    output = slurp(*this / "out");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string last_line() const {
    const auto end = output.find_last_not_of('\n');
    const auto begin = output.rfind('\n', end);
    return output.substr(begin + 1, end - begin);
  }
  /// The number after the last occurrence of a text in the output.
  double number_after(const std::string& text) const {
    INFO(output);
    const auto at = output.rfind(text);
    REQUIRE(at != std::string::npos);
    return std::atof(output.c_str() + at + text.size());
  }
};

/// What a program says to bad calls.
struct BadCall {
  std::string arguments;
  int status;
  std::string text;
};
inline void check_calls(Workbench& w, const std::string& program, const std::vector<BadCall>& calls) {
  for (const auto& c : calls) {
    INFO(c.arguments);
    CHECK(w.run(program, c.arguments) == c.status);
    CHECK_THAT(w.output, Catch::Matchers::Contains(c.text));
  }
}
