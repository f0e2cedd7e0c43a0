#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/child_process.h>

#include <atomic>
#include <cstdlib>

using namespace weft;

namespace {

using Bytes = std::vector<uint8_t>;

bool dies(const std::function<void()>& work) {
  const ChildResult result = run_in_child([&] {
    work();
    return Bytes{1};
  });
  return result.died && result.bytes.empty() && result.error.empty();
}

}  // namespace

TEST_CASE("a process gives bytes, or what it threw") {
  int here = 1;
  const ChildResult result = run_in_child([&] {
    here = 2;
    return Bytes(3'000'000, 7);
  });
  CHECK(result.bytes == Bytes(3'000'000, 7));
  CHECK(!result.died);
  CHECK(here == 1);
  CHECK(run_in_child([] { return Bytes(); }).bytes.empty());
  CHECK(!run_in_child([] { return Bytes(); }).died);
  const ChildResult refused = run_in_child([]() -> Bytes { fail<ValueError>("not so"); });
  CHECK(refused.error == "not so");
  CHECK(!refused.died);
}

TEST_CASE("a process that crashes does so alone") {
  CHECK(dies([] { ::raise(SIGSEGV); }));
  CHECK(dies([] { std::abort(); }));
  CHECK(dies([] { ::raise(SIGKILL); }));
  CHECK(dies([] { ::_exit(1); }));
  const ChildResult endless = run_in_child(
      []() -> Bytes {
        for (std::atomic<int64_t> count = 0;; ++count) {
        }
      },
      1);
  CHECK(endless.died);
}
