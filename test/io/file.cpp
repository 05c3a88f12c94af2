// Atomic commits under failing system calls.
#include "test/support/catch.h"

#include <cerrno>
#include <cstring>

#include <rill/io/file.h>
#include <rill/io/safetensors.h>
#include <rill/ops/create.h>

#include "test/support/faulty_files.h"
#include "test/support/scratch.h"

using namespace rill;
using Catch::Matchers::Contains;

TEST_CASE("write_file replaces a file and leaves nothing else behind", "[io][file]") {
  const ScratchFolder folder;
  io::write_file(folder / "a", "old");
  io::write_file(folder / "a", "new content");
  CHECK(slurp(folder / "a") == "new content");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a failure at any system call of a save keeps the former file and removes the temporary one", "[io][file]") {
  const ScratchFolder folder;
  const std::string path = folder / "weights.safetensors";
  const NamedTensors before = {{"w", tensor({1.0, 2.0})}, {"b", tensor({3})}}, after = {{"w", tensor({5.0, 6.0})}, {"b", tensor({7})}};
  io::save_safetensors(path, before);
  const std::string old = slurp(path);
  FaultyFiles plain;
  io::save_safetensors(path, after, {}, plain);
  const int calls = plain.calls;
  REQUIRE(calls >= 6);
  for (const int error : {EIO, ENOSPC, EINTR})
    for (int k = 1; k <= calls; ++k)
      for (const bool forever : {false, true}) {
        spill(path, old);
        FaultyFiles files;
        files.fail_at = k;
        files.error = error;
        files.forever = forever;
        INFO("call " << k << ", error " << error << ", forever " << forever);
        bool done = false, uncertain = false;
        try {
          io::save_safetensors(path, after, {}, files);
          done = true;
        } catch (const NotCommitted& e) {
          CHECK_THAT(e.what(), Contains("nothing was changed") && Contains(std::strerror(error)));
        } catch (const DurabilityUncertain& e) {
          CHECK_THAT(e.what(), Contains("may be lost on power failure"));
          uncertain = true;
        }
        if (!done && !uncertain) CHECK(slurp(path) == old);
        else CHECK(io::load_safetensors(path).find("b").item<int>() == 7);
        if (done) CHECK(error == EINTR);  // an interrupted write is repeated, everything else is an error
        if (!forever && !uncertain) CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
        for (const auto& entry : std::filesystem::directory_iterator(folder.path))  // a removal that failed leaves one behind
          if (entry.path() != path) std::filesystem::remove(entry.path());
      }
}

TEST_CASE("short writes are continued", "[io][file]") {
  const ScratchFolder folder;
  FaultyFiles files;
  files.most_per_write = 3;
  io::write_file(folder / "a", "a longer text", files);
  CHECK(slurp(folder / "a") == "a longer text");
}

TEST_CASE("a missing folder, a missing file and something that is no file are told apart", "[io][file]") {
  const ScratchFolder folder;
  CHECK_THROWS_AS(io::write_file(folder / "no/such/folder", "x"), NotCommitted);
  CHECK_THROWS_WITH(io::read_file(folder / "absent"), Contains("absent\": no such file"));
  CHECK_THROWS_AS(io::read_file(folder / "absent"), NotFound);
  CHECK_THROWS_WITH(io::read_file(folder.path.string()), Contains("is not a regular file"));
  CHECK_THROWS_AS(io::write_file("", "x"), ValueError);
  io::write_file(folder / "ten", "0123456789");
  CHECK_THROWS_AS(io::read_file(folder / "ten", 9), LimitExceeded);
}
