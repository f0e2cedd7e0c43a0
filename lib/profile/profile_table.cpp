#include <weft/lib/base/error.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <set>

namespace weft {

namespace {

using Kind = ProfileEvent::Kind;
constexpr size_t most_rows = 20;
constexpr const char* no_layer = "(in no layer)";

struct Sum {
  int64_t calls = 0, nanoseconds = 0, flop = 0, bytes = 0, peak = 0;

  void add(const ProfileEvent& event) {
    ++calls;
    nanoseconds += event.end - event.begin;
    flop += event.flop;
    bytes += event.bytes;
    peak = std::max(peak, event.peak);
  }
  void add(const Sum& other) {
    calls += other.calls;
    nanoseconds += other.nanoseconds;
    flop += other.flop;
    bytes += other.bytes;
    peak = std::max(peak, other.peak);
  }
};

/// Columns under their titles: the first `left` of them left-aligned.
class Grid {
 public:
  Grid(std::vector<std::string> titles, size_t left) : rows_{std::move(titles)}, left_(left) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string text() const {
    std::vector<size_t> widths(rows_[0].size());
    for (const auto& row : rows_)
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string space(widths[i] - row[i].size(), ' ');
        line += (i == 0 ? "" : "  ") + (i < left_ ? row[i] + space : space + row[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  size_t left_;
};

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string rate(int64_t amount, int64_t nanoseconds) {
  if (amount == 0) return "";
  return number(static_cast<double>(amount) / static_cast<double>(std::max<int64_t>(nanoseconds, 1)), 1);
}

std::string megabytes(int64_t bytes) { return number(1e-6 * static_cast<double>(bytes), 1); }

/// The events that count, and how they are averaged.
struct View {
  std::vector<const ProfileEvent*> events;
  int64_t steps = 0;  ///< 0 when the profile has none and is shown as a whole
  int64_t nanoseconds = 0;

  explicit View(const Profile& profile) {
    std::vector<bool> inside(profile.events.size());
    for (size_t i = 0; i < inside.size(); ++i) {
      const ProfileEvent& event = profile.events[i];
      const bool step = event.kind == Kind::phase && event.name == "step";
      inside[i] = step || (event.parent >= 0 && inside[static_cast<size_t>(event.parent)]);
      if (!step) continue;
      ++steps;
      nanoseconds += event.end - event.begin;
    }
    if (steps == 0) nanoseconds = profile.duration;
    for (size_t i = 0; i < inside.size(); ++i)
      if (steps == 0 || inside[i]) events.push_back(&profile.events[i]);
  }

  std::string milliseconds(int64_t total) const { return number(1e-6 * per_step(total), 3); }
  std::string calls(int64_t count) const {
    const double each = per_step(count);
    return number(each, each == static_cast<double>(static_cast<int64_t>(each)) ? 0 : 1);
  }
  std::string share(int64_t part) const {
    return number(100.0 * static_cast<double>(part) / static_cast<double>(std::max<int64_t>(nanoseconds, 1)),
                  1);
  }
  double per_step(int64_t total) const {
    return static_cast<double>(total) / static_cast<double>(std::max<int64_t>(steps, 1));
  }
};

std::string by_phase(const View& view) {
  std::vector<std::string_view> order;
  std::map<std::string_view, Sum> phases;
  int64_t in_kernels = 0;
  for (const ProfileEvent* event : view.events) {
    if (event->kind == Kind::kernel) in_kernels += event->end - event->begin;
    if (event->kind != Kind::phase) continue;
    if (!phases.contains(event->name)) order.push_back(event->name);
    phases[event->name].add(*event);
  }
  Grid grid({"phase", view.steps > 0 ? "ms/step" : "ms", "%", "peak MB"}, 1);
  for (const std::string_view name : order)
    grid.add({std::string(name), view.milliseconds(phases[name].nanoseconds),
              view.share(phases[name].nanoseconds), megabytes(phases[name].peak)});
  const int64_t outside = std::max<int64_t>(0, view.nanoseconds - in_kernels);
  grid.add({"outside of kernels", view.milliseconds(outside), view.share(outside), ""});
  return grid.text();
}

std::string by_op(const View& view) {
  std::map<std::pair<std::string_view, std::string_view>, Sum> sums;
  for (const ProfileEvent* event : view.events)
    if (event->kind == Kind::kernel)
      sums[{event->op.empty() ? event->name : event->op, event->phase}].add(*event);
  std::vector<std::pair<std::pair<std::string_view, std::string_view>, Sum>> rows(sums.begin(), sums.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second.nanoseconds > b.second.nanoseconds; });
  if (rows.size() > most_rows) {
    Sum others;
    for (size_t i = most_rows - 1; i < rows.size(); ++i) others.add(rows[i].second);
    rows.resize(most_rows - 1);
    rows.push_back({{"(all others)", ""}, others});
  }
  Grid grid(
      {"operation", "phase", "calls", view.steps > 0 ? "ms/step" : "ms", "%", "GFLOP/s", "GB/s", "peak MB"},
      2);
  for (const auto& [key, sum] : rows)
    grid.add({std::string(key.first), std::string(key.second), view.calls(sum.calls),
              view.milliseconds(sum.nanoseconds), view.share(sum.nanoseconds),
              rate(sum.flop, sum.nanoseconds), rate(sum.bytes, sum.nanoseconds), megabytes(sum.peak)});
  return grid.text();
}

/// "blocks.11.attention" as "blocks.N.attention", so that equal layers share a row.
std::string merged(std::string_view layer) {
  std::string name;
  for (size_t begin = 0; begin <= layer.size();) {
    const size_t end = std::min(layer.find('.', begin), layer.size());
    const std::string_view part = layer.substr(begin, end - begin);
    const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    name += (begin == 0 ? "" : ".") + (digits ? "N" : std::string(part));
    begin = end + 1;
  }
  return name;
}

struct Layer {
  size_t order = std::numeric_limits<size_t>::max();
  std::set<std::string_view> members;
  std::map<std::string_view, int64_t> phases;
  Sum sum;
  int64_t kept = 0;
};

std::string parent_of(const std::map<std::string, Layer>& layers, const std::string& name) {
  for (size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0; dot = name.rfind('.', dot - 1))
    if (layers.contains(name.substr(0, dot))) return name.substr(0, dot);
  return "";
}

/// Rows in the order of the forward pass, each layer with all below it.
class LayerTable {
 public:
  explicit LayerTable(const View& view) : view_(view) {
    for (const ProfileEvent* event : view.events) {
      if (event->layer.empty() && event->kind != Kind::kernel) continue;
      Layer& layer = layers_[event->layer.empty() ? no_layer : merged(event->layer)];
      layer.order = std::min(layer.order, layers_.size());
      layer.members.insert(event->layer);
      if (event->kind == Kind::layer) layer.kept += event->used_after - event->used_before;
    }
    for (const ProfileEvent* event : view.events)
      if (event->kind == Kind::kernel) count(*event);
  }

  std::string text() const {
    int deepest = 1;
    for (int depth = 2; rows(depth) > rows(depth - 1) && rows(depth) <= most_rows + 4; ++depth)
      deepest = depth;
    std::vector<std::string> titles{"layer"};
    for (const std::string_view phase : phases_) titles.push_back(str(phase, " ms"));
    titles.insert(titles.end(),
                  {view_.steps > 0 ? "ms/step" : "ms", "%", "GFLOP/s", "GB/s", "kept MB", "peak MB"});
    Grid grid(titles, 1);
    add_below("", 0, deepest, grid);
    return grid.text();
  }

 private:
  void count(const ProfileEvent& event) {
    const bool part = !event.phase.empty() && event.phase != "step";
    if (part && std::find(phases_.begin(), phases_.end(), event.phase) == phases_.end())
      phases_.push_back(event.phase);
    std::string name = event.layer.empty() ? no_layer : merged(event.layer);
    for (; !name.empty(); name = parent_of(layers_, name)) {
      layers_[name].sum.add(event);
      layers_[name].phases[event.phase] += event.end - event.begin;
    }
  }

  int depth_of(std::string name) const {
    int depth = 0;
    for (; !name.empty(); name = parent_of(layers_, name)) ++depth;
    return depth;
  }

  size_t rows(int depth) const {
    size_t count = 0;
    for (const auto& [name, layer] : layers_) count += depth_of(name) <= depth ? 1 : 0;
    return count;
  }

  void add_below(const std::string& above, size_t indent, int depth, Grid& grid) const {
    std::vector<const std::pair<const std::string, Layer>*> below;
    for (const auto& entry : layers_)
      if (parent_of(layers_, entry.first) == above) below.push_back(&entry);
    std::sort(below.begin(), below.end(),
              [](const auto* a, const auto* b) { return a->second.order < b->second.order; });
    for (const auto* entry : below) {
      const auto& [name, layer] = *entry;
      const std::string title = above.empty() ? name : name.substr(above.size() + 1);
      const size_t members = above.empty() ? layer.members.size() : 1;
      std::vector<std::string> cells{
          str(std::string(2 * indent, ' '), title, members > 1 ? str(" (", members, ")") : "")};
      for (const std::string_view phase : phases_) {
        const auto found = layer.phases.find(phase);
        cells.push_back(found == layer.phases.end() ? "" : view_.milliseconds(found->second));
      }
      cells.insert(
          cells.end(),
          {view_.milliseconds(layer.sum.nanoseconds), view_.share(layer.sum.nanoseconds),
           rate(layer.sum.flop, layer.sum.nanoseconds), rate(layer.sum.bytes, layer.sum.nanoseconds),
           layer.kept == 0 ? "" : number(1e-6 * view_.per_step(layer.kept), 1), megabytes(layer.sum.peak)});
      grid.add(cells);
      if (depth > 1) add_below(name, indent + 1, depth - 1, grid);
    }
  }

  const View& view_;
  std::map<std::string, Layer> layers_;
  std::vector<std::string_view> phases_;
};

}  // namespace

std::string profile_table(const Profile& profile) {
  const View view(profile);
  const std::string title = view.steps > 0
                                ? str("profile of ", view.steps, view.steps == 1 ? " step\n\n" : " steps\n\n")
                                : str("profile\n\n");
  return title + by_phase(view) + "\n" + by_op(view) + "\n" + LayerTable(view).text();
}

}  // namespace weft
