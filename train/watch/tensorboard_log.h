// TensorBoardLog: what a run tells, for TensorBoard: curves, samples, histograms, and its settings.
//
//   loss/train, learning_rate, gradient_norm, tokens_per_second, memory_bytes, tokens       of each update that is logged
//   loss/validation, loss/train_evaluated, bits_per_byte/validation, accuracy/validation    of each evaluation
//   sample                                                                                  text, of each evaluation
//   weights/PATH, gradients/PATH          histograms, of each update whose statistics are kept (update_statistics.h)
//   statistics/update_ratio/PATH, .../activation_std/PATH, .../activation_zero/PATH         curves of the same
//   the settings, in the tab "HPARAMS"
//
// The file says what the run's other files say, and nothing else. So it is not cut where a run goes on, but written anew,
// under a new name by which a TensorBoard that is open notices it: no step is in it twice, and a run that is told to
// write it late has all of it. The file of before stays, empty: a TensorBoard without its fast reader ends for ever at one
// that is gone. The time of each point is the clock's, or, of points that are written anew, follows from
// the seconds of training that the log has: the file is of the clock, and two runs of equal bytes have different ones.
#pragma once

#include <weft/lib/base/held_folder.h>
#include <weft/train/files/appended_file.h>
#include <weft/train/files/event_file.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/files/run_log.h>
#include <weft/train/watch/update_statistics.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

class TensorBoardLog {
 public:
  /// Writes what stands in the run's files, which are open by now and cut to where it goes on. FileError when the folder does not take it.
  TensorBoardLog(const HeldFolder& held, const RunFolder& folder, const RunLog& log,
                 const std::vector<std::pair<std::string, SettingValue>>& settings);

  void add(const Update& update);
  void add(const Evaluation& evaluation);
  void add_sample(int64_t step, std::string_view text);
  void add(const UpdateStatistics& statistics);
  /// Brings what was added to the disk.
  void sync() const { file_.sync(); }
  /// Its folder has been renamed.
  void call(const RunFolder& folder);

 private:
  void write_log(const RunFolder& folder, const RunLog& log);
  void put(const Event& event);
  void flush();
  Event event(int64_t step) const;

  double bytes_per_target_;
  AppendedFile file_;
  std::string waiting_;  ///< records, while what stood there is written
  bool waits_ = true;
  double wall_time_ = 0;  ///< of what is written while it waits
};

}  // namespace weft
