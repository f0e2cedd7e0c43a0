#include "mistakes_page.h"

#include <weft/data/pictures/picture_task.h>
#include <weft/data/sounds/sound_task.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>

#include "sheet_page.h"

namespace weft::tools {

void MistakesPage::add(int64_t sample, const RowScore& row) {
  if (row.answer != row.target) mistakes_.push_back({sample, row.probability, row.target, row.answer});
}

std::string MistakesPage::page() const {
  std::vector<Mistake> shown = mistakes_;
  std::ranges::stable_sort(shown, std::greater<>(), &Mistake::probability);
  if (count() > most_shown) shown.resize(static_cast<size_t>(most_shown));
  const std::string one = std::string(what()).substr(0, std::string(what()).size() - 1);
  SheetPage page("Mistakes", str(grouped(count()), " ", count() == 1 ? one + " is" : str(what(), " are"),
                                 " taken for something else"));
  if (count() > most_shown)
    page.say(
        str("The ", most_shown, shown[0].probability >= 0 ? " of which the model was surest." : " first."));
  for (const Mistake& m : shown) {
    const auto caption = [&](const std::string& where) {
      return str("<b>", escaped(m.is), "</b>, taken for <b>", escaped(m.taken_for), "</b>",
                 m.probability >= 0 ? str(" (", fixed(100 * m.probability, 1), " %)") : "", "<br><small>",
                 escaped(where), "</small>");
    };
    if (const auto* const pictures = dynamic_cast<const PictureTask*>(task_.get())) {
      const int64_t number = pictures->number_of(m.sample);
      page.add(pictures->source().picture(number), m.is, caption(pictures->source().describe(number)));
    } else {
      const auto& sounds = dynamic_cast<const SoundTask&>(*task_);
      const int64_t number = sounds.number_of(m.sample);
      page.add(spectrogram_of_row(sounds.batch(m.sample, 1), 0), m.is,
               caption(sounds.parts().sounds->source().describe(number)),
               sounds.parts().sounds->source().sound(number));
    }
  }
  return page.html();
}

}  // namespace weft::tools
