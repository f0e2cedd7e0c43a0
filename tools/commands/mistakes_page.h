// The pictures that a model takes for something else, as a page to look at.
#pragma once

#include <weft/data/pictures/picture_task.h>
#include <weft/train/scoring.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft::tools {

class MistakesPage {
 public:
  /// Pictures that a page shows.
  static constexpr int64_t most_shown = 500;

  explicit MistakesPage(std::shared_ptr<const PictureTask> task) : task_(std::move(task)) {}
  /// Remembers a sample that was not right.
  void add(int64_t sample, const RowScore& row);
  int64_t count() const { return static_cast<int64_t>(mistakes_.size()); }
  /// HTML, with the pictures in it: those of which the model was surest first.
  std::string page() const;

 private:
  struct Mistake {
    int64_t sample = 0;
    double probability = 0;
    std::string is, taken_for;
  };
  std::shared_ptr<const PictureTask> task_;
  std::vector<Mistake> mistakes_;
};

/// A picture as a "data:image/bmp" address that browsers show.
std::string picture_address(const Picture& picture);

}  // namespace weft::tools
