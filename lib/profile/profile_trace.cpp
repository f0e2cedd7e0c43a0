#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <vector>

namespace weft {

namespace {

using Kind = ProfileEvent::Kind;

constexpr const char* categories[] = {"phase", "layer", "op", "kernel"};

/// A slice of the trace.
struct Slice {
  std::string_view name;
  Kind kind;
  int thread;
  int64_t begin, end;
  std::string arguments;
};

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') json += '\\';
    if (code >= 0x20) {
      json += c;
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", code);
      json += escape;
    }
  }
  return json + '"';
}

/// Microseconds; all digits that a nanosecond needs, so that slices stay inside of each other.
std::string microseconds(int64_t nanoseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03d", static_cast<long long>(nanoseconds / 1000),
                static_cast<int>(nanoseconds % 1000));
  return text;
}

std::string rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", number);
  return text;
}

double in_megabytes(int64_t bytes) { return 1e-6 * static_cast<double>(bytes); }

std::string arguments_of(const ProfileEvent& event) {
  std::vector<std::string> members;
  const auto add = [&](const char* name, const std::string& value) {
    members.push_back(str(quoted(name), ":", value));
  };
  const double per_second = 1e-9 / std::max(event.seconds(), 1e-9);
  if (event.kind == Kind::kernel || event.kind == Kind::op) {
    if (!event.op.empty() && event.op != event.name) add("op", quoted(event.op));
    if (!event.layer.empty()) add("layer", quoted(event.layer));
  }
  if (!event.shapes.empty()) add("shapes", quoted(event.shapes));
  if (event.flop > 0) add("GFLOP/s", rounded(static_cast<double>(event.flop) * per_second));
  if (event.bytes > 0) add("GB/s", rounded(static_cast<double>(event.bytes) * per_second));
  if (event.kind != Kind::kernel) add("MB kept", rounded(in_megabytes(event.used_after - event.used_before)));
  add("peak MB", rounded(in_megabytes(event.peak)));
  return joined(members, ",");
}

/// Whether `layer` is `path` or lies below it.
bool is_below(std::string_view layer, std::string_view path) {
  return layer.starts_with(path) && (layer.size() == path.size() || layer[path.size()] == '.');
}

/// Gradients and updates know the layer they belong to, and come one after another: slices of layers are put
/// around those that share one.
class LayersAround {
 public:
  explicit LayersAround(const Profile& profile) {
    for (const ProfileEvent& event : profile.events)
      if (!event.layer.empty()) layers_.insert(event.layer);
  }

  void add(const ProfileEvent& op, std::vector<Slice>& slices) {
    if (op.parent != parent_ || op.thread != thread_) close(0, slices);
    parent_ = op.parent;
    thread_ = op.thread;
    size_t shared = 0;
    while (shared < open_.size() && is_below(op.layer, open_[shared].name)) ++shared;
    close(shared, slices);
    // In the order of the set, those above come before those below.
    for (const std::string_view layer : layers_)
      if (is_below(op.layer, layer) && (open_.empty() || layer.size() > open_.back().name.size()))
        open_.push_back({layer, Kind::layer, op.thread, op.begin, op.end, ""});
    for (Slice& slice : open_) slice.end = op.end;
  }
  void close(size_t kept, std::vector<Slice>& slices) {
    slices.insert(slices.end(), open_.begin() + static_cast<std::ptrdiff_t>(kept), open_.end());
    open_.resize(kept);
  }

 private:
  std::set<std::string_view> layers_;
  std::vector<Slice> open_;
  int64_t parent_ = -1;
  int thread_ = 0;
};

std::vector<Slice> slices_of(const Profile& profile) {
  std::vector<Slice> slices;
  LayersAround layers(profile);
  for (const ProfileEvent& event : profile.events) {
    if (event.kind == Kind::op) layers.add(event, slices);
    slices.push_back({event.name, event.kind, event.thread, event.begin, event.end, arguments_of(event)});
  }
  layers.close(0, slices);
  std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    return a.end != b.end ? a.end > b.end : a.kind < b.kind;
  });
  return slices;
}

/// The memory in use, at the beginning, the highest and the end of every kernel.
std::string counters(const Profile& profile) {
  std::string json;
  const auto add = [&](int64_t when, int64_t bytes) {
    json += str(",\n{\"name\":\"memory in use\",\"ph\":\"C\",\"pid\":1,\"tid\":0,\"ts\":", microseconds(when),
                ",\"dur\":0,\"args\":{\"MB\":", rounded(in_megabytes(bytes)), "}}");
  };
  std::vector<const ProfileEvent*> kernels;
  for (const ProfileEvent& event : profile.events)
    if (event.kind == Kind::kernel) kernels.push_back(&event);
  std::stable_sort(kernels.begin(), kernels.end(),
                   [](const auto* a, const auto* b) { return a->begin < b->begin; });
  for (const ProfileEvent* event : kernels) {
    add(event->begin, event->peak);
    add(event->end, event->used_after);
  }
  return json;
}

}  // namespace

std::string profile_trace(const Profile& profile) {
  std::string json =
      "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
      "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":0,\"ts\":0,\"dur\":0,"
      "\"args\":{\"name\":\"weft\"}}";
  for (const Slice& slice : slices_of(profile)) {
    json +=
        str(",\n{\"name\":", quoted(slice.name), ",\"cat\":\"", categories[static_cast<size_t>(slice.kind)],
            "\",\"ph\":\"X\",\"pid\":1", ",\"tid\":", slice.thread, ",\"ts\":", microseconds(slice.begin),
            ",\"dur\":", microseconds(slice.end - slice.begin), ",\"args\":{", slice.arguments, "}}");
  }
  return json + counters(profile) + "\n]}\n";
}

}  // namespace weft
