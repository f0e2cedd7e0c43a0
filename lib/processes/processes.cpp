#include <sched.h>
#include <unistd.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/processes/courier_internal.h>
#include <weft/lib/processes/processes.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace weft {
namespace {

constexpr double usual_timeout = 60;
/// What a program that has joined leaves for those that it starts: which processes it belongs to.
constexpr const char* joined_variable = "WEFT_JOINED";

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

double timeout_wanted() {
  const std::string typed = variable("WEFT_PROCESS_TIMEOUT");
  return typed.empty() ? usual_timeout : parse_number("WEFT_PROCESS_TIMEOUT", typed, 1, 86'400);
}

std::string host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// The cores that this process may use, as text.
std::string own_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::string all;
  for (size_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) all += str(core, " ");
  return all;
}

/// The first of those that are there gives up first, and the others end with it.
std::unique_ptr<detail::Courier> joined_courier() {
  using Seconds = detail::Courier::Seconds;
  const Seconds timeout(timeout_wanted());
  return detail::Courier::joined(timeout, 10 * timeout + Seconds(2 * Processes::rank_of_start()));
}

}  // namespace

struct Processes::Group {
  const std::unique_ptr<detail::Courier> courier = joined_courier();
  std::vector<std::string> names;
  int on_machine = 1, sharing = 1;
  bool ended = false;
};

bool Processes::are_several() {
  const std::string size = variable("OMPI_COMM_WORLD_SIZE");
  return !size.empty() && size != "1";
}

int Processes::rank_of_start() {
  return are_several() ? static_cast<int>(parse_integer("OMPI_COMM_WORLD_RANK",
                                                        variable("OMPI_COMM_WORLD_RANK"), 0, 1 << 24))
                       : 0;
}

Processes& Processes::joined() {
  static Processes group;
  return group;
}

Processes::Processes() {
  if (!are_several()) return;
  const std::string job = str("job ", variable("PMIX_NAMESPACE"), variable("OMPI_MCA_ess_base_jobid"));
  if (variable(joined_variable) == job)
    fail<ProcessError>("this program was started by one of the ", variable("OMPI_COMM_WORLD_SIZE"),
                       " processes of another, whose place it cannot take; to run it by itself: env -u "
                       "OMPI_COMM_WORLD_SIZE");
  ::setenv(joined_variable, job.c_str(), 1);
  group_ = std::make_unique<Group>();
  try {
    introduce();
  } catch (const ProcessError&) {  // the group stands, and each call says what has failed
    for (int r = 0; r < size(); ++r) group_->names.push_back(str("process ", r));
  }
}

/// All learn what they are called, and who else is on their machine.
void Processes::introduce() {
  Group& g = *group_;
  const std::string here = str(host(), "\n"), cores = own_cores();
  const std::vector<std::string> all = gather(here + cores);
  for (size_t r = 0; r < all.size(); ++r)
    g.names.push_back(str("process ", r, " (", all[r].substr(0, all[r].find('\n')), ")"));
  g.on_machine =
      static_cast<int>(std::ranges::count_if(all, [&](const auto& one) { return one.starts_with(here); }));
  g.sharing = static_cast<int>(std::ranges::count(all, here + cores));
  g.courier->call(g.names);
}

Processes::~Processes() {
  try {
    if (group_ && !group_->ended) leave();
  } catch (const std::exception&) {  // the others have failed, and tell it
  }
  static_cast<void>(group_.release());  // its thread may be at work to the end
}

int Processes::rank() const { return group_ ? group_->courier->rank() : 0; }
int Processes::size() const { return group_ ? group_->courier->size() : 1; }
int Processes::on_this_machine() const { return group_ ? group_->on_machine : 1; }
int Processes::sharing_cores() const { return group_ ? group_->sharing : 1; }

std::string Processes::called(int rank) const {
  return group_ ? group_->names[static_cast<size_t>(rank)] : "this process";
}

NumberRange Processes::shards(int64_t all) const {
  check_shards(all);
  if (size() > all) {
    int64_t enough = 1;
    while (enough < size()) enough *= 2;
    fail<ValueError>("reduction_shards = ", all, ", but there are ", size(),
                     " processes, each of which computes whole shards; --set reduction_shards=", enough,
                     " (the result depends on it, and not on the number of processes)");
  }
  return part_of(all, size(), rank());
}

std::vector<std::string> Processes::gather(const std::string& mine) {
  if (!group_) return {mine};
  const auto gather = std::make_shared<detail::Gather>(mine);
  group_->courier->gather(gather);
  return std::move(gather->all);
}

std::string Processes::from_first(const std::string& text) { return gather(is_first() ? text : "")[0]; }

void Processes::start_sum(ShardSum sum) {
  if (group_) group_->courier->start(std::make_shared<detail::Summing>(std::move(sum), rank(), size()));
}

void Processes::finish_sums() {
  if (group_) group_->courier->finish_sums();
}

void Processes::check() const {
  if (group_) group_->courier->check();
}

bool Processes::report_failure(const std::string& why) {
  return !group_ || group_->courier->report_failure(why);
}

bool Processes::leave() {
  if (!group_ || group_->ended) return true;
  const bool in_order = group_->courier->leave();
  group_->ended = true;
  if (in_order) group_.reset();
  return in_order;
}

ProcessTraffic Processes::traffic() const { return group_ ? group_->courier->traffic() : ProcessTraffic(); }

}  // namespace weft
