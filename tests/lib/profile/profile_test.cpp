#include <doctest/doctest.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/profile/profile.h>

#include <thread>

#include "checks.h"

using namespace weft;
using Kind = ProfileEvent::Kind;

namespace {

const auto named = [](const char* name) { return [name] { return std::string(name); }; };

void kernel(const char* name) {
  const KernelScope scope(name, [] { return KernelWork{7, 9, "(3,)"}; });
}

}  // namespace

TEST_CASE("without a profile nothing is recorded, and no name of a layer is made") {
  REQUIRE(!profiling());
  {
    const PhaseScope phase("step");
    const LayerScope layer([]() -> std::string { throw std::runtime_error("asked for its path"); });
    const OpScope op("linear", "a");
    const KernelScope kernel("matmul",
                             []() -> KernelWork { throw std::runtime_error("asked for its work"); });
    profile_op("linear");
    CHECK(profiled_layer().empty());
  }
  start_profile();
  CHECK(stop_profile().events.empty());
}

TEST_CASE("events nest, are complete, and know where they belong") {
  start_profile();
  {
    const PhaseScope step("step");
    {
      const PhaseScope forward("forward");
      const LayerScope block(named("blocks.0"));
      {
        const LayerScope layer(named("blocks.0.up"));
        CHECK(profiled_layer() == "blocks.0.up");
        kernel("gemm");
        profile_op("linear");
      }
      CHECK(profiled_layer() == "blocks.0");
      kernel("copy");
      kernel("add");
      profile_op("sum");
    }
    const PhaseScope backward("backward");
    const OpScope op("linear", "blocks.0.up");
    kernel("outer");
    profile_op("matmul");
  }
  const Profile profile = stop_profile();
  REQUIRE(profile.events.size() == 10);

  const auto is = [&](size_t i, Kind kind, const char* name, int64_t parent, const char* phase,
                      const char* layer, const char* op) {
    const ProfileEvent& event = profile.events[i];
    INFO(name);
    CHECK(event.kind == kind);
    CHECK(event.name == name);
    CHECK(event.parent == parent);
    CHECK(event.phase == phase);
    CHECK(event.layer == layer);
    CHECK(event.op == op);
  };
  is(0, Kind::phase, "step", -1, "step", "", "");
  is(1, Kind::phase, "forward", 0, "forward", "", "");
  is(2, Kind::layer, "blocks.0", 1, "forward", "blocks.0", "");
  is(3, Kind::layer, "blocks.0.up", 2, "forward", "blocks.0.up", "");
  is(4, Kind::kernel, "gemm", 3, "forward", "blocks.0.up", "linear");
  is(5, Kind::kernel, "copy", 2, "forward", "blocks.0", "sum");
  is(6, Kind::kernel, "add", 2, "forward", "blocks.0", "sum");
  is(7, Kind::phase, "backward", 0, "backward", "", "");
  is(8, Kind::op, "linear", 7, "backward", "blocks.0.up", "");
  is(9, Kind::kernel, "outer", 8, "backward", "blocks.0.up", "linear");

  int64_t in_kernels = 0;
  for (const ProfileEvent& event : profile.events) {
    CHECK(event.begin <= event.end);
    CHECK(event.end <= profile.duration);
    CHECK(event.flop == (event.kind == Kind::kernel ? 7 : 0));
    CHECK(event.bytes == (event.kind == Kind::kernel ? 9 : 0));
    CHECK(event.shapes == (event.kind == Kind::kernel ? "(3,)" : ""));
    if (event.kind == Kind::kernel) in_kernels += event.end - event.begin;
    if (event.parent < 0) continue;
    const ProfileEvent& around = profile.events[static_cast<size_t>(event.parent)];
    CHECK(around.begin <= event.begin);
    CHECK(event.end <= around.end);
  }
  CHECK(in_kernels <= profile.duration);
}

TEST_CASE("a kernel tells its arrays, its arithmetic and its memory") {
  const Array x({3, 4}), y({3, 2}), nothing;
  const auto before = static_cast<int64_t>(memory_stats().in_use);
  start_profile();
  {
    const KernelScope scope("product", 48, x, nothing, y, y);
    { const auto scratch = allocate(1 << 20); }
    kernel("part of it");
  }
  const Profile profile = stop_profile();
  REQUIRE(profile.events.size() == 1);
  const ProfileEvent& event = profile.events[0];
  CHECK(event.flop == 48);
  CHECK(event.bytes == 4 * (12 + 6 + 6));
  CHECK(event.shapes == "(3, 4) (3, 2)");
  CHECK(event.used_before == before);
  CHECK(event.used_after == before);
  CHECK(event.peak >= before + (1 << 20));
  CHECK(event.peak <= before + (1 << 20) + 64);
}

TEST_CASE("kernels before an operation are its own only within the same layer and phase") {
  start_profile();
  kernel("a");
  { const LayerScope layer(named("up")); }
  kernel("b");
  {
    const PhaseScope phase("forward");
    profile_op("nothing");
    kernel("c");
  }
  profile_op("add");
  const Profile profile = stop_profile();
  for (const ProfileEvent& event : profile.events) CHECK_MESSAGE(event.op.empty(), event.name);
}

TEST_CASE("a layer without a name is none") {
  start_profile();
  {
    const LayerScope model(named("model"));
    const LayerScope root(named(""));
    kernel("add");
  }
  const Profile profile = stop_profile();
  REQUIRE(profile.events.size() == 2);
  CHECK(profile.events[1].layer == "model");
}

TEST_CASE("scopes may be open when a profile ends, and when the next one begins") {
  start_profile();
  {
    const PhaseScope step("step");
    const Profile profile = stop_profile();
    REQUIRE(profile.events.size() == 1);
    CHECK(profile.events[0].end == profile.duration);
    start_profile();
    kernel("add");
  }
  kernel("mul");
  const Profile next = stop_profile();
  REQUIRE(next.events.size() == 2);
  for (const ProfileEvent& event : next.events) {
    CHECK(event.parent == -1);
    CHECK(event.phase.empty());
  }
}

TEST_CASE("each thread has its own events") {
  start_profile();
  const PhaseScope step("step");
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) {
        const LayerScope layer(named("up"));
        kernel("add");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Profile profile = stop_profile();
  CHECK(profile.events.size() == 1 + 3 * 200);
  std::vector<int> of_thread(4);
  for (const ProfileEvent& event : profile.events) {
    ++of_thread[static_cast<size_t>(event.thread)];
    if (event.kind != Kind::kernel) continue;
    CHECK(event.phase.empty());
    const ProfileEvent& around = profile.events[static_cast<size_t>(event.parent)];
    CHECK(around.kind == Kind::layer);
    CHECK(around.thread == event.thread);
    CHECK(around.begin <= event.begin);
  }
  CHECK(of_thread == std::vector<int>{1, 200, 200, 200});
}

TEST_CASE("start and stop in turns") {
  test::refuses<StateError>([] { stop_profile(); }, {"no profile is being taken"});
  start_profile();
  test::refuses<StateError>([] { start_profile(); }, {"being taken already"});
  stop_profile();
}
