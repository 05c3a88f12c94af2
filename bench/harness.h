// Timing of one workload: warm-up, then repeats until the budget is used; prints "name<TAB>median<TAB>minimum<TAB>repeats<TAB>work", times in seconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Settings {
  std::string only;
  double budget = 2.0;
  int threads = 2;
};

inline Settings parse(int argc, char** argv) {
  Settings s;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a.starts_with("--only=")) s.only = a.substr(7);
    else if (a.starts_with("--threads=")) s.threads = std::stoi(a.substr(10));
    else if (a.starts_with("--budget=")) s.budget = std::stod(a.substr(9));
    else std::fprintf(stderr, "usage: %s [--only=NAME] [--threads=N] [--budget=SECONDS]\n", argv[0]), std::exit(1);
  }
  return s;
}

/// What one call of a workload does.
struct Work {
  int calls = 1;                ///< of the thing that is timed
  double share = 1;             ///< of the budget
  double flop = 0, bytes = 0;   ///< the least that it has to compute and to move; for the share of the machine's peak
  std::function<void()> between = {};  ///< after each call, not timed
};

inline bool wanted(const Settings& s, const std::string& name) { return s.only.empty() || name.find(s.only) != std::string::npos; }

template <class F> void run(const Settings& s, const std::string& name, F&& f, const Work& work = {}) {
  using Clock = std::chrono::steady_clock;
  if (!wanted(s, name)) return;
  const auto between = [&] { if (work.between) work.between(); };
  for (int i = 0; i < 3; ++i) f(), between();
  std::vector<double> t;
  const auto start = Clock::now();
  while (t.size() < 5 || (std::chrono::duration<double>(Clock::now() - start).count() < s.budget * work.share && t.size() < 2000)) {
    const auto a = Clock::now();
    f();
    t.push_back(std::chrono::duration<double>(Clock::now() - a).count() / work.calls);
    between();
  }
  std::sort(t.begin(), t.end());
  std::printf("%-28s\t%.4g\t%.4g\t%zu", name.c_str(), t[t.size() / 2], t[0], t.size());
  if (work.flop > 0) std::printf("\tflop=%.4g", work.flop);
  if (work.bytes > 0) std::printf("\tbytes=%.4g", work.bytes);
  std::printf("\n");
  std::fflush(stdout);
}

inline void print_peak_memory() {
  if (std::FILE* f = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, f))
      if (!std::strncmp(line, "VmHWM", 5)) std::printf("peak_rss\t%s", line + 6);
    std::fclose(f);
  }
}

}  // namespace bench
