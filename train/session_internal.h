// What a new run and one that goes on have in common. Only for the sources of session.h.
#pragma once

#include <weft/train/files/opened_model.h>
#include <weft/train/session.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft::session {

using ReadProgress = std::function<void(int64_t done, int64_t all)>;

/// What a run learns, opened while the console tells how far it is. Stopped when a signal comes meanwhile.
void open_data(Session& s, const std::function<TaskData(const ReadProgress&)>& opened);
/// What learns it, of a configuration that is settled, if it fits into memory; `base`, if not null, is the model that adapters
/// are of.
void open_parts(Session& s, int64_t profiled, const OpenedModel* base);
/// Both, of a run with a folder; the text must have that hash, if one is given.
void open(Session& s, const RunFolder& folder, std::shared_ptr<const Tokenizer> tokenizer,
          const std::string& expected_hash, int64_t profiled, const OpenedModel* base);

/// What its files tell of a run.
RunAbout about(const Session& s);

/// They are read when they are scored: what is mistyped is said now.
void check_test_data(const RunConfig& config);
/// What is likely not meant by these settings of the learning rate.
void warn_of_rate(const RunConfig& c, std::vector<std::string>& notes);

}  // namespace weft::session
