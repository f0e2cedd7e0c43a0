#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

namespace weft {

namespace {

using Clock = std::chrono::steady_clock;
using Kind = ProfileEvent::Kind;

/// The events of one thread in one profile.
struct Track {
  std::mutex mutex;
  bool closed = false;
  std::vector<ProfileEvent> events;
};

struct Recorder {
  std::mutex mutex;
  std::vector<std::shared_ptr<Track>> tracks;
  std::set<std::string, std::less<>> texts;
};

/// Never destroyed: threads may end after the static variables.
Recorder& recorder() {
  static Recorder* const the_recorder = new Recorder;
  return *the_recorder;
}

/// Counts profiles, so that a thread sees that its track belongs to an earlier one.
std::atomic<uint64_t> profile_number{0};
std::atomic<Clock::rep> started{0};

/// Where this thread is.
struct Place {
  std::string_view phase, layer, op;
  int64_t inside = -1;
  bool in_kernel = false;
};
struct Thread {
  std::shared_ptr<Track> track;
  uint64_t profile = 0;
  Place place;
  size_t unnamed = 0;  ///< events before this one are kernels of known operations, or no kernels
};
thread_local Thread self;

std::string_view kept(std::string_view text) {
  if (text.empty()) return {};
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  const auto found = r.texts.find(text);
  return found != r.texts.end() ? *found : *r.texts.emplace(text).first;
}

Thread& this_thread() {
  const uint64_t current = profile_number.load(std::memory_order_acquire);
  if (self.profile == current) return self;
  self = {std::make_shared<Track>(), current, {}, 0};
  self.track->events.reserve(1 << 14);
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  r.tracks.push_back(self.track);
  return self;
}

int64_t nanoseconds() {
  const Clock::duration since_start = Clock::now().time_since_epoch() - Clock::duration(started.load());
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count();
}

int64_t used() { return static_cast<int64_t>(memory_stats().in_use); }

void finish(ProfileEvent& event, int64_t now, int64_t peak) {
  event.end = now;
  event.used_after = used();
  event.peak = peak;
}

}  // namespace

namespace detail {

struct OpenEvent {
  std::shared_ptr<Track> track;
  size_t index;
  Place outside;
  PeakScope peak;
};

void name_kernels(const char* op) {
  Thread& t = this_thread();
  const std::lock_guard lock(t.track->mutex);
  auto& events = t.track->events;
  for (const std::string_view name = kept(op); t.unnamed < events.size(); ++t.unnamed)
    if (events[t.unnamed].op.empty()) events[t.unnamed].op = name;
}

std::string_view current_layer() { return this_thread().place.layer; }

}  // namespace detail

void ProfileScope::begin(Kind kind, std::string_view name, std::string_view layer) {
  if (name.empty()) return;
  Thread& t = this_thread();
  const Place outside = t.place;
  Place& place = t.place;
  const std::string_view text = kept(name);
  if (kind == Kind::phase) place.phase = text;
  if (kind == Kind::layer) place.layer = text;
  if (kind == Kind::op) place.op = text, place.layer = kept(layer);
  place.in_kernel = kind == Kind::kernel;
  ProfileEvent event{.kind = kind, .name = text, .phase = place.phase, .layer = place.layer};
  if (kind == Kind::kernel) event.op = place.op;
  event.parent = outside.inside;
  event.used_before = used();

  const std::lock_guard lock(t.track->mutex);
  auto& events = t.track->events;
  place.inside = static_cast<int64_t>(events.size());
  // Kernels inside an operation's gradient have their name; those before a layer or phase will get none.
  if (kind != Kind::kernel || !place.op.empty()) t.unnamed = events.size() + 1;
  open_ = new detail::OpenEvent{t.track, events.size(), outside, {}};
  event.begin = nanoseconds();
  event.end = -1;
  events.push_back(std::move(event));
}

void ProfileScope::begin_kernel(const char* name, KernelWork work) {
  if (this_thread().place.in_kernel) return;
  begin(Kind::kernel, name);
  const std::lock_guard lock(open_->track->mutex);
  ProfileEvent& event = open_->track->events[open_->index];
  event.flop = work.flop;
  event.bytes = work.bytes;
  event.shapes = std::move(work.shapes);
}

void ProfileScope::begin_kernel(const char* name, int64_t flop, std::initializer_list<Operand> operands) {
  if (this_thread().place.in_kernel) return;
  int64_t bytes = 0;
  std::set<const void*> named;
  std::vector<std::string_view> shapes;
  for (const Operand& operand : operands) {
    if (operand.identity == nullptr) continue;
    bytes += operand.bytes;
    if (named.insert(operand.identity).second) shapes.push_back(operand.shape);
  }
  begin_kernel(name, {flop, bytes, joined(shapes, " ")});
}

void ProfileScope::end() {
  const std::unique_ptr<detail::OpenEvent> open(std::exchange(open_, nullptr));
  const int64_t now = nanoseconds();
  if (self.track == open->track) self.place = open->outside;
  const std::lock_guard lock(open->track->mutex);
  if (open->track->closed) return;
  ProfileEvent& event = open->track->events[open->index];
  finish(event, now, static_cast<int64_t>(open->peak.peak()));
  if (event.kind != Kind::kernel) self.unnamed = open->track->events.size();
}

void start_profile() {
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  if (profiling()) fail<StateError>("start_profile: a profile is being taken already");
  r.tracks.clear();
  started.store(Clock::now().time_since_epoch().count());
  profile_number.fetch_add(1, std::memory_order_release);
  detail::profiling.store(true);
}

Profile stop_profile() {
  Profile profile;
  Recorder& r = recorder();
  const std::lock_guard lock(r.mutex);
  if (!profiling()) fail<StateError>("stop_profile: no profile is being taken");
  detail::profiling.store(false);
  profile.duration = nanoseconds();
  for (size_t thread = 0; thread < r.tracks.size(); ++thread) {
    Track& track = *r.tracks[thread];
    const std::lock_guard track_lock(track.mutex);
    track.closed = true;
    const auto before = static_cast<int64_t>(profile.events.size());
    for (ProfileEvent& event : track.events) {
      if (event.end < 0) finish(event, profile.duration, std::max(event.used_before, used()));
      event.thread = static_cast<int>(thread);
      if (event.parent >= 0) event.parent += before;
      profile.events.push_back(std::move(event));
    }
    track.events = {};
  }
  r.tracks.clear();
  return profile;
}

}  // namespace weft
