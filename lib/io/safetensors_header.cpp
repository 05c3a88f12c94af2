#include "lib/io/safetensors_header.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "lib/core/check.h"
#include "lib/io/text.h"

namespace rill::io {
namespace {

constexpr SafetensorsDtype kTypes[] = {
    {"BOOL", 8, boolean}, {"U8", 8, uint8}, {"I8", 8, int8}, {"I16", 16, int16}, {"I32", 32, int32}, {"I64", 64, int64}, {"F16", 16, float16},
    {"BF16", 16, bfloat16}, {"F32", 32, float32}, {"F64", 64, float64},
    {"F8_E5M2", 8, {}}, {"F8_E4M3", 8, {}}, {"F8_E8M0", 8, {}}, {"F8_E4M3FNUZ", 8, {}}, {"F8_E5M2FNUZ", 8, {}}, {"U16", 16, {}}, {"U32", 32, {}},
    {"U64", 64, {}}, {"C64", 64, {}}, {"F4", 4, {}}, {"F6_E2M3", 6, {}}, {"F6_E3M2", 6, {}}};

/// Receives the events of the JSON parser, which is a loop and not a recursion; accepts exactly the form of the format.
class Handler : public nlohmann::json_sax<nlohmann::json> {
 public:
  Handler(const std::string& file, const SafetensorsLimits& limits) : file_(file), limits_(limits) {}
  SafetensorsHeader take() {
    header_.entries = std::move(entries_);
    return std::move(header_);
  }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t v) override { return unexpected(fmt::format("the number {}", v)); }
  bool number_float(number_float_t, const string_t& text) override { return unexpected("the number " + text); }
  bool binary(binary_t&) override { return unexpected("binary data"); }
  bool number_unsigned(number_unsigned_t v) override {
    if (state_ == State::shape) {
      if (entries_.back().shape.size() >= kMaxRank) fail<LimitExceeded>("load_safetensors", "{}: {} has more than {} axes", file_, field("shape"), kMaxRank);
      entries_.back().shape.push_back(v);
    } else if (state_ == State::offsets && offsets_ < 2) {
      (offsets_++ == 0 ? entries_.back().begin : entries_.back().end) = v;
    } else {
      return unexpected(fmt::format("the number {}", v));
    }
    return true;
  }
  bool string(string_t& text) override {
    if (state_ == State::metadata) {
      header_.metadata[key_] = text;
    } else if (state_ == State::field && key_ == "dtype") {
      entries_.back().type = safetensors_dtype(text);
      if (!entries_.back().type) damaged("{} is {}, which is not a dtype of the format", field("dtype"), shown(text));
    } else {
      return unexpected("a string");
    }
    return true;
  }
  bool start_object(std::size_t) override {
    switch (state_) {
      case State::start: state_ = State::top; return true;
      case State::top:
        if (key_ == "__metadata__") {
          state_ = State::metadata;
        } else {
          entries_.emplace_back().name = key_;
          fields_.clear();
          state_ = State::field;
        }
        return true;
      default: return unexpected("an object");
    }
  }
  bool key(string_t& text) override {
    if (state_ == State::top) {
      if (text.size() > 4096 || text.find('\0') != std::string::npos) fail<LimitExceeded>("load_safetensors", "{}: the name {} is longer than 4096 bytes or holds a NUL", file_, shown(text));
      if (!names_.insert(text).second) damaged("the name {} appears twice in the header", shown(text));
      if (static_cast<std::int64_t>(names_.size()) > limits_.max_tensors + 1) fail<LimitExceeded>("load_safetensors", "{} holds more than max_tensors = {} tensors", file_, limits_.max_tensors);
    } else if (state_ == State::metadata) {
      if (header_.metadata.count(text)) damaged("the key {} appears twice in __metadata__", shown(text));
    } else if (!fields_.insert(text).second) {
      damaged("{} appears twice in the header", field(text));
    } else if (text != "dtype" && text != "shape" && text != "data_offsets") {
      damaged("{} is not a field of the format (dtype, shape, data_offsets)", field(text));
    }
    key_ = text;
    return true;
  }
  bool end_object() override {
    if (state_ == State::field) {
      for (const char* f : {"dtype", "shape", "data_offsets"})
        if (!fields_.count(f)) damaged("{} is missing", field(f));
    }
    state_ = state_ == State::top ? State::end : State::top;
    return true;
  }
  bool start_array(std::size_t) override {
    if (state_ == State::field && key_ == "shape") state_ = State::shape;
    else if (state_ == State::field && key_ == "data_offsets") state_ = State::offsets, offsets_ = 0;
    else return unexpected("a list");
    return true;
  }
  bool end_array() override {
    if (state_ == State::offsets && offsets_ != 2) damaged("{} holds {} numbers, expected two", field("data_offsets"), offsets_);
    state_ = State::field;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    damaged("the header is not valid JSON near its byte {}", position);
  }

 private:
  enum class State { start, top, metadata, field, shape, offsets, end };

  template <class... A> [[noreturn]] void damaged(fmt::format_string<A...> f, A&&... args) const {
    fail<DataLoss>("load_safetensors", "{}: {}", file_, fmt::vformat(f, fmt::make_format_args(args...)));
  }
  std::string field(std::string_view name) const { return fmt::format("header field {}.{}", shown(entries_.back().name), name.size() > 64 ? "..." : name); }
  bool unexpected(const std::string& what) const {
    switch (state_) {
      case State::start: damaged("the header is {}, expected an object", what);
      case State::top: damaged("header entry {} is {}, expected an object", shown(key_), what);
      case State::metadata: damaged("metadata entry {} is {}, expected a string", shown(key_), what);
      default: damaged("{} holds {}", field(state_ == State::shape ? "shape" : state_ == State::offsets ? "data_offsets" : key_), what);
    }
  }

  const std::string& file_;
  const SafetensorsLimits& limits_;
  SafetensorsHeader header_;
  std::vector<SafetensorsEntry> entries_;
  std::set<std::string> names_, fields_;
  std::string key_;
  State state_ = State::start;
  int offsets_ = 0;
};

}  // namespace

const SafetensorsDtype* safetensors_dtype(std::string_view name) {
  for (const auto& t : kTypes)
    if (t.name == name) return &t;
  return nullptr;
}
std::string_view safetensors_name(Dtype dtype) {
  for (const auto& t : kTypes)
    if (t.dtype == dtype) return t.name;
  return "";
}

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& file, const SafetensorsLimits& limits) {
  const char* op = "load_safetensors";
  // The parser takes a NUL for the end of its input; JSON has no unescaped NUL.
  check<DataLoss>(json.find('\0') == std::string_view::npos, op, "{}: the header holds a NUL at its byte {}", file, json.find('\0'));
  check<DataLoss>(json.find_first_not_of(" \t\r\n") != std::string_view::npos && json[json.find_first_not_of(" \t\r\n")] == '{', op,
                  "{}: the header does not begin with an object; the file is not safetensors", file);
  Handler handler(file, limits);
  nlohmann::json::sax_parse(json, &handler);
  SafetensorsHeader header = handler.take();

  std::stable_sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  std::uint64_t at = 0;
  for (const auto& e : header.entries) {
    const auto offsets = [&] { return fmt::format("header field {}.data_offsets", shown(e.name)); };
    check<DataLoss>(e.begin == at, op, "{}: {} begins at {}, the tensor before it ends at {}", file, offsets(), e.begin, at);
    check<DataLoss>(e.end >= e.begin, op, "{}: {} ends at {}, before its begin {}", file, offsets(), e.end, e.begin);
    check<DataLoss>(e.end <= data_bytes, op, "{}: {} ends at {}, the file holds {} data bytes; the file is truncated", file, offsets(), e.end, data_bytes);
    // Product of max(size, 1): a zero does not hide an overflow of the other sizes, whose strides must fit too.
    std::uint64_t count = 1, bits = 0;
    bool overflow = false, zero = false;
    for (const auto size : e.shape) {
      zero |= size == 0;
      overflow |= __builtin_mul_overflow(count, std::max<std::uint64_t>(size, 1), &count);
    }
    overflow |= __builtin_mul_overflow(count, static_cast<std::uint64_t>(e.type->bits), &bits) || bits > std::uint64_t{INT64_MAX};
    check<DataLoss>(!overflow, op, "{}: header field {}.shape has more elements than 64 bits can count", file, shown(e.name));
    if (zero) bits = 0;
    check<DataLoss>(bits % 8 == 0 && bits / 8 == e.end - e.begin, op, "{}: {} spans {} bytes, shape and dtype {} need {} bits", file, offsets(), e.end - e.begin, e.type->name, bits);
    at = e.end;
  }
  check<DataLoss>(at == data_bytes || (limits.allow_trailing_bytes && at < data_bytes), op,
                  "{} goes on for {} bytes after its last tensor; allow_trailing_bytes accepts that", file, data_bytes - at);
  return header;
}

}  // namespace rill::io
