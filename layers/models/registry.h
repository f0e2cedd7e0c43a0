// All models by name, ours and a user's. One of a user's is a class
//
//   class MyGPT : public weft::GenerativeModel {            // or weft::Model, if it does not write
//    public:
//     using Config = MyConfig;                              // with settings(): lib/settings/settings.h
//     explicit MyGPT(const MyConfig&);
//     weft::Tensor logits(const weft::Batch&) const override;
//     const MyConfig config;
//   };
//
// and one call, register_model<MyGPT>("mine"). Then every command knows it: `weft train --model mine --set
// n_layer=2`. What comes from the data is filled in by name where the settings have it: vocab_size, n_class, pad_id,
// start_id, end_id, image_size, n_channel, segmentation; block_size becomes at least the longest sample.
//
//   static std::vector<TaskKind> M::learns()    which batches it takes; else TaskKind::language, of a GenerativeModel
//   bool M::takes_documents() const             whether logits() keeps Batch::documents apart (Mask::documents does, in
//                                               attention); else a batch with some is refused
//   bool M::writes() const                      of a GenerativeModel: false when its settings make it tell classes instead
//   void Config::check() const                  refuses (ValueError) what no single setting shows
//   void Config::fit(const DataShape&)          takes more from the data, after the names above
#pragma once

#include <weft/layers/models/model.h>
#include <weft/lib/array/data_shape.h>
#include <weft/lib/settings/registry.h>
#include <weft/lib/settings/settings.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <vector>

namespace weft {

struct ModelEntry {
  std::string name;
  std::vector<Setting> settings;  ///< all, those from the data too
  std::vector<TaskKind> learns = {};
  /// What its settings, and keys of a run, are unless something else is given, where that is not their own default. Those
  /// of its settings stand in `settings` too, and change nothing of what a file means that lacks one.
  SettingValues defaults = {};
  /// The model of these settings, those that are missing as Setting::value_before says. Its first values come from the
  /// RandomScope of this thread, or are zeros under NoInit. ValueError for settings out of range; StateError for one
  /// that is missing and has no default.
  std::function<std::unique_ptr<Model>(const StateDict& settings)> make = {};
  /// The settings of a run's keys and of the data. ValueError for what does not fit.
  std::function<StateDict(const SettingValues& given, const DataShape& data)> settings_for = {};
  /// The settings of a model of this entry; none for a model of another.
  std::function<std::optional<StateDict>(const Model& model)> settings_of = {};

  bool takes(TaskKind kind) const { return std::ranges::count(learns, kind) > 0; }
};

/// The registry, in which ours are from the start.
Registry<ModelEntry>& models();

/// ValueError for a name that is taken. `made`, if given, has the last word on each configuration, so that a class may
/// have several names ("lstm", "gru"); a model has the first name whose `made` leaves its configuration as it is. So one
/// that has `defaults` alone is a name for beginning runs with, and its models and files have the name of the class.
template <class M>
void register_model(const std::string& name, std::function<void(typename M::Config&)> made = nullptr,
                    const SettingValues& defaults = {});

/// models().at(kind).make(settings).
std::unique_ptr<Model> make_model(const std::string& kind, const StateDict& settings);

/// How weights fit the model that make_model() would make, by name, shape and type. Nothing is computed or filled, so that
/// it costs next to no time or memory, however large that model. Errors as make_model().
LoadReport compare_weights(const std::string& kind, const StateDict& settings, const StateDict& weights);

namespace detail {
/// Gives the fields of a configuration that say so what the data say; block_size at least the longest sample.
SettingValues values_of(const DataShape& data, const std::vector<Setting>& settings,
                        const SettingValues& now);

/// Gives the settings their values among `defaults`, as Field::in_runs does. ValueError, naming the model, for one that
/// does not fit.
void set_defaults(const std::string& model, std::vector<Setting>& settings, const SettingValues& defaults);

template <class M>
ModelEntry model_entry(const std::string& name, std::function<void(typename M::Config&)> made,
                       const SettingValues& defaults = {}) {
  using Config = typename M::Config;
  ModelEntry entry{.name = name, .settings = Config::settings().list(), .defaults = defaults};
  set_defaults(name, entry.settings, defaults);
  if constexpr (requires { M::learns(); }) {
    entry.learns = M::learns();
  } else {
    static_assert(std::is_base_of_v<GenerativeModel, M>,
                  "say which batches the model takes: static std::vector<weft::TaskKind> learns()");
    entry.learns = {TaskKind::language};
  }
  const auto finished = [name, made](Config config) {
    if (made) made(config);
    Config::settings().check(name.c_str(), config);
    if constexpr (requires { config.check(); }) config.check();
    return config;
  };
  entry.make = [finished](const StateDict& state) -> std::unique_ptr<Model> {
    return Module::build<M>(finished(Config::settings().from_state(state)));
  };
  entry.settings_for = [finished, settings = entry.settings](const SettingValues& given,
                                                             const DataShape& data) {
    Config config;
    SettingValues all;
    for (const Setting& s : settings)
      if (!s.from_data) all.set(s.name, given.contains(s.name) ? given.at(s.name) : s.value);
    Config::settings().take(config, values_of(data, settings, all));
    if constexpr (requires { config.fit(data); }) config.fit(data);
    return Config::settings().state(finished(config));
  };
  entry.settings_of = [made](const Model& model) -> std::optional<StateDict> {
    if (typeid(model) != typeid(M)) return {};
    const Config& config = static_cast<const M&>(model).config;
    Config same = config;
    if (made) made(same);
    if (Config::settings().values(same) != Config::settings().values(config)) return {};
    return Config::settings().state(config);
  };
  return entry;
}
}  // namespace detail

template <class M>
void register_model(const std::string& name, std::function<void(typename M::Config&)> made,
                    const SettingValues& defaults) {
  models().add(detail::model_entry<M>(name, std::move(made), defaults));
}

}  // namespace weft
