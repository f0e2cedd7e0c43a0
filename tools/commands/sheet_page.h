// A page of many small pictures, each with a line below it: contact sheets, spectrograms, mistakes.
#pragma once

#include <weft/data/pictures/picture.h>
#include <weft/data/sounds/sound.h>
#include <weft/lib/array/batch.h>

#include <cstdint>
#include <span>
#include <string>

namespace weft::tools {

class SheetPage {
 public:
  SheetPage(std::string title, std::string heading)
      : title_(std::move(title)), heading_(std::move(heading)) {}
  /// A line of text below the heading.
  void say(const std::string& line);
  /// `caption` is HTML; `sound`, if it has samples, can be played.
  void add(const Picture& picture, const std::string& alternative, const std::string& caption,
           const Sound& sound = {});
  /// HTML, with all that it shows in it.
  std::string html() const;

 private:
  std::string title_, heading_, lines_, figures_;
};

/// Text as HTML shows it.
std::string escaped(const std::string& text);
/// A picture as a "data:image/bmp" address that browsers show, a sound as a "data:audio/wav" one that they play.
std::string picture_address(const Picture& picture);
std::string sound_address(const Sound& sound);

/// Row `row` of a batch of pictures, whose numbers lie in [-1, 1].
Picture picture_of_row(const Batch& batch, int64_t row);
/// Row `row` of a batch of sounds, its frames from left to right and low tones below, as bright as they are loud.
Picture spectrogram_of_row(const Batch& batch, int64_t row);

}  // namespace weft::tools
