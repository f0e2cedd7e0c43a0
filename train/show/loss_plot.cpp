#include <weft/train/show/line_chart.h>
#include <weft/train/show/loss_plot.h>

namespace weft {

std::string loss_plot(const std::string& title, const std::vector<Update>& updates,
                      const std::vector<Evaluation>& evaluations) {
  using Colour = ChartSeries::Colour;
  ChartSeries batch{.name = "each batch", .colour = Colour::blue, .faint = true};
  ChartSeries train{.name = "training", .colour = Colour::blue, .dots = true};
  ChartSeries val{.name = "validation", .colour = Colour::orange, .dots = true};
  for (const Update& u : updates) batch.points.emplace_back(static_cast<double>(u.step), u.loss);
  for (const Evaluation& e : evaluations) {
    train.points.emplace_back(static_cast<double>(e.step), e.train_loss);
    val.points.emplace_back(static_cast<double>(e.step), e.val_loss);
  }
  return line_chart(
      {.title = title, .x = "updates", .y = "loss, nats a token", .series = {batch, train, val}});
}

}  // namespace weft
