#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/find/batch_size.h>
#include <weft/train/find/learning_rate.h>
#include <weft/train/show/console.h>
#include <weft/train/show/line_chart.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "json_line.h"

namespace weft::tools {
namespace {

void throw_if_stopped() {
  if (const int signal = StopSignals::received()) throw Stopped{signal};
}

/// The picture, and the numbers beside it as a table. What was found is told before: it is not lost where they cannot be written.
void write_found(const FindArguments& a, const std::string& picture, const std::string& table) {
  write_file(a.out + ".svg", picture);
  write_file(a.out + ".csv", table);
  if (!a.json) write_out(str("curves: ", a.out, ".svg, ", a.out, ".csv\n"));
}

RateTest::Options rate_options(const FindArguments& a) {
  RateTest::Options options{.updates = a.updates};
  options.from = a.from.value_or(options.from);
  options.to = a.to.value_or(options.to);
  return options;
}

BatchTest::Options batch_options(const FindArguments& a) {
  BatchTest::Options options{.updates = a.updates};
  options.largest = a.largest.value_or(options.largest);
  return options;
}

int find_rate(Session& s, const FindArguments& a) {
  const auto told = [&](const RateTest::Point& p) {
    throw_if_stopped();
    s.console.renew(str("learning rate ", brief(p.lr), "  loss ", fixed(p.smoothed, 4)));
  };
  const RateTest found = find_learning_rate(s, rate_options(a), told);
  s.console.clear();
  ChartSeries losses{.name = "batch", .faint = true}, smoothed{.name = "smoothed"};
  std::string table = "learning_rate,loss,smoothed\n";
  for (const RateTest::Point& p : found.points) {
    losses.points.emplace_back(p.lr, p.loss);
    smoothed.points.emplace_back(p.lr, p.smoothed);
    table += str(p.lr, ",", p.loss, ",", p.smoothed, "\n");
  }
  const double rate = std::stod(brief(found.suggestion));
  ChartSeries chosen{
      .name = str("suggested: ", brief(rate)), .colour = ChartSeries::Colour::orange, .dots = true};
  const auto at = std::ranges::find_if(found.points, [&](const RateTest::Point& p) { return p.lr >= rate; });
  if (at != found.points.end()) chosen.points.emplace_back(rate, at->smoothed);
  if (a.json)
    write_out(json_line({{"learning_rate", rate},
                         {"steepest", found.steepest},
                         {"lowest", found.lowest},
                         {"diverged", found.diverged},
                         {"points", found.points.size()}}));
  else
    write_out(str("learning_rate ", brief(rate), "  (the loss falls most at ", brief(found.steepest),
                  ", is least at ", brief(found.lowest),
                  found.diverged ? str(" and is lost behind ", brief(found.points.back().lr)) : "", ")\n",
                  "try it: --set learning_rate=", brief(rate), "\n"));
  write_found(a,
              line_chart({.title = str("loss while the learning rate rises, ", s.config.model, ", ",
                                       s.config.optimizer),
                          .x = "learning rate",
                          .y = "loss",
                          .log_x = true,
                          .series = {losses, smoothed, chosen}}),
              table);
  return 0;
}

int find_batch(Session& s, const FindArguments& a) {
  const auto told = [&](const BatchTest::Noise& n) {
    throw_if_stopped();
    s.console.renew(str("update ", n.step, "  loss ", fixed(n.loss, 4), "  noise scale ", fixed(n.scale, 1)));
  };
  const auto timed = [&](const BatchTest::Speed& speed) {
    throw_if_stopped();
    s.console.renew(str("batch ", speed.batch, "  ", fixed(speed.samples_per_second, 1), " samples/s"));
  };
  const BatchTest found = find_batch_size(s, batch_options(a), told, timed);
  s.console.clear();
  ChartSeries noise{.name = "gradient noise scale"};
  ChartSeries speed{.name = "samples a second", .colour = ChartSeries::Colour::green, .dots = true};
  std::string table = "what,at,value,memory_bytes\n";
  for (const BatchTest::Noise& n : found.noise) {
    noise.points.emplace_back(static_cast<double>(n.step), n.scale);
    table += str("noise_scale,", n.step, ",", n.scale, ",\n");
  }
  for (const BatchTest::Speed& one : found.speeds) {
    speed.points.emplace_back(static_cast<double>(one.batch), one.samples_per_second);
    table += str("samples_per_second,", one.batch, ",", one.samples_per_second, ",", one.memory, "\n");
  }
  if (a.json) {
    auto sizes = nlohmann::ordered_json::array();
    for (const BatchTest::Speed& one : found.speeds)
      sizes.push_back({{"batch_size", one.batch},
                       {"samples_per_second", one.samples_per_second},
                       {"memory_bytes", one.memory}});
    write_out(json_line({{"batch_size", found.batch_size},
                         {"gradient_accumulation_steps", found.gradient_accumulation_steps},
                         {"samples_per_update", found.update},
                         {"noise_scale", found.scale},
                         {"speeds", sizes}}));
  } else {
    write_out(str("batch_size ", found.batch_size, ", gradient_accumulation_steps ",
                  found.gradient_accumulation_steps, "  (the noise scale after ", a.updates, " updates is ",
                  fixed(found.scale, 1), " samples)\n", "try it: --set batch_size=", found.batch_size,
                  " gradient_accumulation_steps=", found.gradient_accumulation_steps, "\n"));
  }
  write_found(a,
              line_charts({{.title = "where noise and gradient are equal",
                            .x = "update",
                            .y = "samples",
                            .log_y = true,
                            .series = {noise}},
                           {.title = "speed of a micro-batch",
                            .x = "samples in a micro-batch",
                            .y = "samples a second",
                            .log_x = true,
                            .series = {speed}}}),
              table);
  return 0;
}

}  // namespace

Work prepare_find(const FindArguments& arguments) {
  FindArguments a = arguments;
  const bool rate = a.what == "lr";
  if (!rate && a.what != "batch") fail<ValueError>("find: '", a.what, "' is not lr or batch");
  if (!rate && (a.from || a.to)) fail<ValueError>(a.from ? "--from" : "--to", ": is of find lr");
  if (rate && a.largest) fail<ValueError>("--largest: is of find batch");
  if (rate) rate_options(a).check();
  if (a.out.empty()) a.out = rate ? "lr" : "batch";
  if (a.out.ends_with(".svg") || a.out.ends_with(".csv")) a.out.resize(a.out.size() - 4);
  for (const char* const ending : {".svg", ".csv"}) check_output(a.out + ending);
  const std::shared_ptr<Session> session = trial_session(a.fresh);
  return [=] { return rate ? find_rate(*session, a) : find_batch(*session, a); };
}

}  // namespace weft::tools
