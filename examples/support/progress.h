// How far a training is: a bar that is redrawn on a terminal, plain lines elsewhere.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace examples {

class Progress {
 public:
  /// Steps first..last of `per_step` examples (called `unit`) each; a plain line every `every` steps (0: none at all, no bar either).
  Progress(std::int64_t first, std::int64_t last, std::int64_t per_step, std::int64_t every, std::string unit = "images")
      : first_(first), last_(last), per_step_(per_step), every_(every), unit_(std::move(unit)), terminal_(isatty(STDOUT_FILENO) == 1), begin_(Clock::now()) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// After `step` steps.
  void update(std::int64_t step, double loss) {
    if (every_ == 0) return;
    if (!terminal_) {
      if (step % every_ == 0 || step == last_) std::printf("%s\n", line(step, loss).c_str()), std::fflush(stdout);
      return;
    }
    const auto now = Clock::now();
    if (step != last_ && now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    constexpr int kWidth = 24;
    const int full = last_ > 0 ? static_cast<int>(kWidth * step / last_) : kWidth;
    const std::string bar = "[" + std::string(static_cast<std::size_t>(full), '#') + std::string(static_cast<std::size_t>(kWidth - full), '-') + "] ";
    std::printf("\r\033[K%s", (bar + line(step, loss)).c_str());
    std::fflush(stdout);
    open_ = true;
  }
  /// Ends the bar's line, so that other output can follow.
  void clear() {
    if (open_) std::printf("\r\033[K"), std::fflush(stdout);
    open_ = false;
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(std::int64_t step, double loss) const {
    const double passed = std::max(seconds(), 1e-9), rate = static_cast<double>(step - first_) / passed;
    const auto left = rate > 0 ? static_cast<long>(static_cast<double>(last_ - step) / rate + 0.5) : 0;
    char text[128];
    std::snprintf(text, sizeof text, "step %lld/%lld  loss %.4f  %.0f %s/s  ETA %ld:%02ld", static_cast<long long>(step), static_cast<long long>(last_), loss,
                  rate * static_cast<double>(per_step_), unit_.c_str(), left / 60, left % 60);
    return text;
  }

  std::int64_t first_, last_, per_step_, every_;
  std::string unit_;
  bool terminal_, open_ = false;
  Clock::time_point begin_, drawn_{};
};

}  // namespace examples
