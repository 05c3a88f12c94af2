#include <rill/data/jpeg.h>

#include <rill/io/file.h>
#include <rill/ops/create.h>

#include "lib/core/check.h"

#ifdef RILL_WITH_JPEG

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

namespace rill::data {
namespace {

// Note [Errors of libjpeg]
// Its error_exit must not return, and an exception must not pass through its frames, which are C. So error_exit jumps back to the
// function below that called into the library. Those functions hold nothing with a destructor, and report with false. Warnings that mean
// damage (libjpeg goes on with grey pixels) are treated as errors; harmless ones, like stray bytes between markers, are not.
struct Errors {
  jpeg_error_mgr base;  // first, so that the pointers agree
  jmp_buf back;
  char text[JMSG_LENGTH_MAX];
};
struct Decoder {
  jpeg_decompress_struct info;
  Errors errors;
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  errors->base.format_message(info, errors->text);
  std::longjmp(errors->back, 1);
}
void judge(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC || code == JWRN_ARITH_BAD_CODE)) leave(info);
}

bool open(Decoder& d, const unsigned char* bytes, std::size_t count) {
  d.info.err = jpeg_std_error(&d.errors.base);
  d.errors.base.error_exit = leave;
  d.errors.base.emit_message = judge;
  if (setjmp(d.errors.back)) return false;
  jpeg_create_decompress(&d.info);
  jpeg_mem_src(&d.info, bytes, static_cast<unsigned long>(count));
  jpeg_read_header(&d.info, TRUE);
  d.info.out_color_space = d.info.num_components == 4 ? JCS_CMYK : JCS_RGB;
  return true;
}
/// `row` has room for one row of the decoder's components; `out` is [height, width, 3].
bool read(Decoder& d, unsigned char* out, unsigned char* row) {
  if (setjmp(d.errors.back)) return false;
  jpeg_start_decompress(&d.info);
  const std::size_t width = d.info.output_width;
  const bool inverted = d.info.saw_Adobe_marker;
  while (d.info.output_scanline < d.info.output_height) {
    unsigned char* to = out + std::size_t{d.info.output_scanline} * width * 3;
    unsigned char* rows[] = {d.info.num_components == 4 ? row : to};
    jpeg_read_scanlines(&d.info, rows, 1);
    if (d.info.num_components != 4) continue;
    for (std::size_t i = 0; i < width; ++i) {
      const int k = inverted ? row[4 * i + 3] : 255 - row[4 * i + 3];
      for (std::size_t c = 0; c < 3; ++c) to[3 * i + c] = static_cast<unsigned char>(k * (inverted ? row[4 * i + c] : 255 - row[4 * i + c]) / 255);
    }
  }
  jpeg_finish_decompress(&d.info);
  return true;
}

struct Open : Decoder {
  Open() : Decoder{} {}
  ~Open() { jpeg_destroy_decompress(&info); }
};

}  // namespace

Tensor decode_jpeg(std::span<const std::byte> bytes, const std::string& name, const JpegLimits& limits) {
  constexpr const char* op = "decode_jpeg";
  Open d;
  const auto sound = [&](bool ok) { check<DataLoss>(ok, op, "\"{}\" is damaged or no JPEG file: {}", name, d.errors.text); };
  sound(open(d, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  const std::int64_t height = d.info.image_height, width = d.info.image_width, components = d.info.num_components;
  check<LimitExceeded>(height * width * components <= limits.max_samples, op, "\"{}\" has {} samples ({}x{} pixels), the limit is {}; raise JpegLimits::max_samples", name, height * width * components,
                       height, width, limits.max_samples);
  const Tensor pixels = empty({height, width, 3}, {.dtype = uint8});
  std::vector<unsigned char> row(components == 4 ? static_cast<std::size_t>(width) * 4 : 0);
  sound(read(d, pixels.data<std::uint8_t>(), row.data()));
  return pixels;
}

}  // namespace rill::data

#else

namespace rill::data {
Tensor decode_jpeg(std::span<const std::byte>, const std::string&, const JpegLimits&) {
  fail<Unimplemented>("decode_jpeg", "this build has no JPEG decoder; install libjpeg (libjpeg62-turbo-dev) and build again");
}
}  // namespace rill::data

#endif

namespace rill::data {
Tensor read_jpeg(const std::string& path, const JpegLimits& limits) { return decode_jpeg(io::read_file(path), path, limits); }
}  // namespace rill::data
