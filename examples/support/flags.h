// Command lines of the examples: `--name value`, `--name=value`, `--switch`, and --help that shows every flag with its default.
#pragma once

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <rill/core/error.h>

namespace examples {

/// The command line is wrong; the program says so and exits with 2.
struct UsageError : rill::ValueError { using ValueError::ValueError; };

class Flags {
 public:
  Flags(std::string program, std::string purpose) : program_(std::move(program)), purpose_(std::move(purpose)) {}

  /// The variable holds the default; parse() overwrites it.
  template <class T> Flags& add(const std::string& name, T& variable, const std::string& help) {
    flags_.push_back({name, &variable, help, text(&variable)});
    return *this;
  }

  /// False: --help was asked for and printed. Throws UsageError.
  bool parse(int argc, char** argv) const {
    for (int i = 1; i < argc; ++i) {
      std::string_view word = argv[i];
      if (word == "--help" || word == "-h") return help(), false;
      if (!word.starts_with("--")) wrong("\"" + std::string(word) + "\" is not a flag");
      word.remove_prefix(2);
      const auto equals = word.find('=');
      const std::string name(word.substr(0, equals));
      const Flag* flag = nullptr;
      for (const Flag& f : flags_)
        if (f.name == name) flag = &f;
      if (!flag) wrong("there is no flag --" + name);
      if (bool* const* on = std::get_if<bool*>(&flag->target)) {
        if (equals != word.npos) wrong("--" + name + " takes no value");
        **on = true;
        continue;
      }
      if (equals == word.npos && ++i == argc) wrong("--" + name + " needs a value");
      set(*flag, equals == word.npos ? std::string_view(argv[i]) : word.substr(equals + 1));
    }
    return true;
  }

 private:
  using Target = std::variant<bool*, std::int64_t*, double*, std::string*>;
  struct Flag {
    std::string name;
    Target target;
    std::string help, standard;
  };

  [[noreturn]] void wrong(const std::string& what) const { throw UsageError(program_, what + "; --help lists the flags"); }

  static std::string text(const Target& target) {
    if (const auto* v = std::get_if<std::int64_t*>(&target)) return std::to_string(**v);
    if (const auto* v = std::get_if<std::string*>(&target)) return **v;
    if (const auto* v = std::get_if<double*>(&target)) {
      char buffer[32];
      std::snprintf(buffer, sizeof buffer, "%g", **v);
      return buffer;
    }
    return "";
  }
  template <class T> void number(const Flag& flag, T& variable, std::string_view word, const char* kind) const {
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) wrong("--" + flag.name + " is \"" + std::string(word) + "\", expected " + kind);
    variable = value;
  }
  void set(const Flag& flag, std::string_view word) const {
    if (auto* const* v = std::get_if<std::int64_t*>(&flag.target)) number(flag, **v, word, "an integer");
    if (auto* const* v = std::get_if<double*>(&flag.target)) number(flag, **v, word, "a number");
    if (auto* const* v = std::get_if<std::string*>(&flag.target)) **v = word;
  }
  void help() const {
    std::printf("%s: %s\n\n", program_.c_str(), purpose_.c_str());
    for (const Flag& f : flags_) {
      const char* kinds[] = {"", " N", " X", " TEXT"};
      std::printf("  %-24s %s%s\n", ("--" + f.name + kinds[f.target.index()]).c_str(), f.help.c_str(), f.standard.empty() ? "" : (" [" + f.standard + "]").c_str());
    }
    std::printf("  %-24s %s\n", "--help", "this list");
  }

  std::string program_, purpose_;
  std::vector<Flag> flags_;
};

/// The body of main: errors become one sentence on stderr and exit status 1 (2 for a wrong command line).
template <class F> int run(F body) {
  try {
    body();
    return 0;
  } catch (const UsageError& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fflush(stdout);
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
}

}  // namespace examples
