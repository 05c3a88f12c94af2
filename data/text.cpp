#include <rill/data/text.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <unordered_map>

#include <rill/io/file.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "lib/io/text.h"

namespace rill::data {

// ---- vocabulary --------------------------------------------------------------------------------------------------------------------------

Vocabulary::Vocabulary(std::vector<std::string> words) : words_(std::move(words)), sorted_(words_.size()) {
  std::iota(sorted_.begin(), sorted_.end(), 0);
  const auto word = [&](std::int64_t id) -> const std::string& { return words_[static_cast<std::size_t>(id)]; };
  std::ranges::sort(sorted_, {}, word);
  const auto twice = std::ranges::adjacent_find(sorted_, {}, word);
  check<ValueError>(twice == sorted_.end(), "Vocabulary", "the word {} comes twice", twice == sorted_.end() ? "" : io::shown(word(*twice)));
}

Vocabulary Vocabulary::by_frequency(const std::vector<std::string>& text) {
  std::unordered_map<std::string, std::int64_t> counts;
  for (const std::string& word : text) ++counts[word];
  std::vector<std::pair<std::int64_t, std::string>> order;
  for (const auto& [word, count] : counts) order.emplace_back(-count, word);
  std::ranges::sort(order);
  std::vector<std::string> words;
  for (auto& entry : order) words.push_back(std::move(entry.second));
  return Vocabulary(std::move(words));
}
Vocabulary Vocabulary::of_characters(const std::string& text) {
  std::array<bool, 256> occurs{};
  for (const char c : text) occurs[static_cast<unsigned char>(c)] = true;
  std::vector<std::string> words;
  for (std::size_t c = 0; c < occurs.size(); ++c)
    if (occurs[c]) words.emplace_back(1, static_cast<char>(c));
  return Vocabulary(std::move(words));
}

const std::int64_t* Vocabulary::find(const std::string& word) const {
  const auto at = std::ranges::lower_bound(sorted_, word, {}, [&](std::int64_t id) -> const std::string& { return words_[static_cast<std::size_t>(id)]; });
  return at != sorted_.end() && words_[static_cast<std::size_t>(*at)] == word ? &*at : nullptr;
}
bool Vocabulary::contains(const std::string& word) const { return find(word) != nullptr; }
std::int64_t Vocabulary::id(const std::string& word) const {
  const std::int64_t* found = find(word);
  if (!found) found = find("<unk>");
  check<ValueError>(found != nullptr, "Vocabulary", "{} is none of its {} words, and it has no \"<unk>\"", io::shown(word), size());
  return *found;
}
const std::string& Vocabulary::word(std::int64_t id) const {
  check<IndexError>(id >= 0 && id < size(), "Vocabulary", "there is no word {} among {}", id, size());
  return words_[static_cast<std::size_t>(id)];
}

Tensor Vocabulary::encode(const std::vector<std::string>& words) const {
  std::vector<std::int64_t> ids;
  ids.reserve(words.size());
  for (const std::string& word : words) ids.push_back(id(word));
  const auto count = static_cast<std::int64_t>(ids.size());
  return from_vector(std::move(ids), {count});
}
Tensor Vocabulary::encode(const std::string& text) const {
  std::array<std::int64_t, 256> known;
  known.fill(-1);
  std::vector<std::int64_t> ids;
  ids.reserve(text.size());
  for (const char c : text) {
    std::int64_t& number = known[static_cast<unsigned char>(c)];
    if (number < 0) number = id(std::string(1, c));
    ids.push_back(number);
  }
  const auto count = static_cast<std::int64_t>(ids.size());
  return from_vector(std::move(ids), {count});
}
std::string Vocabulary::decode(const Tensor& ids, const std::string& between) const {
  check_defined("Vocabulary", ids, "ids");
  std::string text;
  for (const std::int64_t id : ids.to_vector<std::int64_t>()) text += (text.empty() ? "" : between) + word(id);
  return text;
}

// ---- files -------------------------------------------------------------------------------------------------------------------------------

std::string read_text(const std::string& path) {
  const auto bytes = io::read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::string> read_words(const std::string& path) {
  const std::string text = read_text(path);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\v\f", at), text.size());
    if (begin < text.size() && text[begin] == '\n') {
      words.emplace_back("<eos>");
      at = begin + 1;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \t\r\v\f\n", begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    at = end;
  }
  return words;
}

Ptb read_ptb(const std::string& folder) {
  const auto read = [&](const char* name) { return read_words((std::filesystem::path(folder) / name).string()); };
  Ptb ptb;
  const auto train = read("ptb.train.txt");
  ptb.vocabulary = Vocabulary::by_frequency(train);
  ptb.train = ptb.vocabulary.encode(train);
  ptb.valid = ptb.vocabulary.encode(read("ptb.valid.txt"));
  ptb.test = ptb.vocabulary.encode(read("ptb.test.txt"));
  return ptb;
}

// ---- batches -----------------------------------------------------------------------------------------------------------------------------

TokenBatches::TokenBatches(const Tensor& ids, std::int64_t rows, std::int64_t steps) : steps_(steps) {
  constexpr const char* op = "TokenBatches";
  check_defined(op, ids, "ids");
  check<DtypeError>(ids.dtype() == int64, op, "ids are {}; expected int64", ids.dtype());
  check<ShapeError>(ids.dim() == 1, op, "ids have shape {}; expected one axis", ids.shape());
  check<ValueError>(rows >= 1 && steps >= 1, op, "{} rows of {} steps are asked for; both must be at least 1", rows, steps);
  size_ = (ids.numel() - 1) / (rows * steps);
  check<ValueError>(size_ >= 1, op, "{} tokens do not fill a batch of {} rows and {} steps with a target after each; {} do", ids.numel(), rows, steps, rows * steps + 1);
  const std::int64_t used = size_ * rows * steps;
  inputs_ = ids.narrow(0, 0, used).view({rows, size_ * steps});
  targets_ = ids.narrow(0, 1, used).view({rows, size_ * steps});
}
TokenBatches::Batch TokenBatches::operator[](std::int64_t i) const {
  check<IndexError>(i >= 0 && i < size_, "TokenBatches", "there is no batch {} among {}", i, size_);
  return {inputs_.narrow(1, i * steps_, steps_).contiguous(), targets_.narrow(1, i * steps_, steps_).contiguous()};
}

}  // namespace rill::data
