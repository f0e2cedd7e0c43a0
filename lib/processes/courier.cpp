#include <sys/prctl.h>
#include <weft/lib/base/values.h>
#include <weft/lib/processes/courier_internal.h>

#include <algorithm>

namespace weft::detail {

using namespace std::chrono_literals;

namespace {

// The first letter of a message.
constexpr char alive = 'A', failed = 'F', silent = 'S', knows = 'K', left = 'L';

/// Sums that are under way at once: while one is given to all, the next is collected.
constexpr size_t most_sums = 3;
/// Between two looks at what may come, while something is under way and while nothing is.
constexpr std::chrono::microseconds shortest_nap = 5us, longest_nap = 50us, idle_nap = 2000us;
/// Between two signs of life, at most.
constexpr Courier::Seconds between_signs = 1s;
/// How long those who left in order, or failed, are given to be through.
constexpr auto grace = 2s;
/// How long processes may take to say that they have heard of a failure.
constexpr auto to_answer = 3s;
/// How long MPI may take to end when all have said that they leave.
constexpr Courier::Seconds to_finish = 30s;

}  // namespace

std::unique_ptr<Courier> Courier::joined(Seconds timeout, Seconds patience) {
  std::unique_ptr<Courier> courier(new Courier(timeout));
  Courier& c = *courier;
  c.thread_ = std::thread([&c] { c.join(); });
  std::unique_lock lock(c.mutex_);
  if (!c.changed_.wait_for(lock, patience, [&] { return c.joined_; })) {
    c.given_up_ = true;
    lock.unlock();
    static_cast<void>(courier.release());  // its thread is at work
    fail<JoinError>("not all processes have joined within ", brief(patience.count()),
                    " s: one of them was stopped, or a machine cannot be reached");
  }
  if (!c.error_) return courier;
  lock.unlock();
  c.thread_.join();
  std::rethrow_exception(c.error_);
}

void Courier::join() {
  try {
    link_ = std::make_unique<Link>();
  } catch (...) {
    error_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    if (given_up_) return;  // a sign of life would be a lie
    if (link_) rank_ = link_->rank(), size_ = link_->size();
    peers_.resize(static_cast<size_t>(size_));
    heard_ = told_ = watched_ = Clock::now();
    joined_ = true;
    changed_.notify_all();
  }
  if (link_) run();
}

Courier::~Courier() {
  if (thread_.joinable()) thread_.detach();  // leave() has ended it, or the process ends
}

void Courier::call(std::vector<std::string> names) {
  const std::lock_guard lock(mutex_);
  names_ = std::move(names);
}

std::string Courier::called(int rank) const {
  return names_.empty() ? str("process ", rank) : names_[static_cast<size_t>(rank)];
}

void Courier::run() {
  ::prctl(PR_SET_TIMERSLACK, 1);
  auto nap = shortest_nap;
  while (true) {
    bool working = false;
    try {
      if (!is_broken_) working = advance();
      const bool quiet = Clock::now() - watched_ > 5ms;
      if (quiet || !working || is_broken_) watch();
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex_);
      break_off(error.what());
    }
    {
      std::unique_lock lock(mutex_);
      if (may_finish_ && to_tell_.empty()) break;
      if (!working && to_tell_.empty()) {
        changed_.wait_for(lock, idle_nap, [&] {
          return (!is_broken_ && (gather_ || !sums_.empty())) || !to_tell_.empty() || may_finish_;
        });
        nap = shortest_nap;
        continue;
      }
    }
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, longest_nap);
  }
  try {
    link_->finish();
  } catch (const std::exception&) {  // nobody is left to be told
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

/// Whether something is under way still.
bool Courier::advance() {
  std::shared_ptr<Gather> gather;
  std::vector<std::shared_ptr<Summing>> sums;
  {
    const std::lock_guard lock(mutex_);
    gather = gather_;
    sums.assign(sums_.begin(), sums_.begin() + static_cast<int64_t>(std::min(sums_.size(), most_sums)));
  }
  const bool gathered = gather && gather->advance(*link_);
  // A later one may be through before an earlier one.
  std::vector<std::shared_ptr<Summing>> through;
  bool turn = true;
  for (const std::shared_ptr<Summing>& sum : sums) {
    if (sum->advance(*link_, turn)) through.push_back(sum);
    turn = turn && sum->has_begun_all();
  }
  const std::lock_guard lock(mutex_);
  traffic_.sent = link_->traffic.sent;
  traffic_.messages = link_->traffic.messages;
  if (gathered) gather_.reset();
  std::erase_if(sums_, [&](const auto& sum) { return std::ranges::count(through, sum) > 0; });
  if (!through.empty() && sums_.empty())
    traffic_.busy += std::chrono::duration<double>(Clock::now() - sums_since_).count();
  if (gathered || !through.empty()) changed_.notify_all();
  return gather_ || !sums_.empty();
}

void Courier::watch() {
  std::string message;
  for (int from = 0; link_->receive(message, from);) hear(message, from);
  const auto now = Clock::now();
  const std::lock_guard lock(mutex_);
  // Who slept is this process itself.
  if (now - watched_ > timeout_ / 2) heard_ = now;
  watched_ = now;
  if (now - told_ > std::min(between_signs, timeout_ / 4)) {
    link_->send(std::string(1, alive), (rank_ + 1) % size_);
    told_ = now;
  }
  for (; !to_tell_.empty(); to_tell_.pop_front())
    for (int r = 0; r < size_; ++r)
      if (r != rank_) link_->send(to_tell_.front(), r);
  link_->is_sent();
  const int before = (rank_ + size_ - 1) % size_;
  const Peer& watched = peers_[static_cast<size_t>(before)];
  if (!watched.left && !watched.failed && !watched.silent && now - heard_ > timeout_ && !is_broken_) {
    const std::string why = str(called(before), " has been silent for ", brief(timeout_.count()),
                                " s: it was stopped, or its machine cannot be reached");
    peers_[static_cast<size_t>(before)].silent = true;
    to_tell_.push_back(str(std::string(1, silent), before, " ", why));
    break_off(why);
  }
  // Who has left cannot take part in what is under way.
  const auto gone = std::ranges::find_if(peers_, [](const Peer& peer) { return peer.left; });
  if (gone == peers_.end() || is_broken_ || (!gather_ && sums_.empty()))
    left_since_ = now;
  else if (now - left_since_ > grace)
    break_off(str(called(static_cast<int>(gone - peers_.begin())), " has ended, while this one goes on"));
}

void Courier::hear(const std::string& message, int from) {
  const std::lock_guard lock(mutex_);
  if (from == (rank_ + size_ - 1) % size_) heard_ = Clock::now();
  Peer& peer = peers_[static_cast<size_t>(from)];
  if (message[0] == left) peer.left = true;
  if (message[0] == knows) peer.knows = true;
  if (message[0] == failed) {
    peer.failed = true;
    break_off(message.substr(1));
  }
  if (message[0] == silent) {
    peer.knows = true;
    const size_t space = message.find(' ');
    peers_[static_cast<size_t>(parse_integer("rank", message.substr(1, space - 1), 0, size_ - 1))].silent =
        true;
    break_off(message.substr(space + 1));
  }
  changed_.notify_all();
}

void Courier::break_off(const std::string& why) {
  if (!is_broken_) to_tell_.emplace_back(1, knows);
  if (broken_.empty()) broken_ = why;
  is_broken_ = true;
  changed_.notify_all();
}

void Courier::wait(const std::function<bool()>& done) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done() || is_broken_.load(); });
  if (is_broken_) fail<ProcessError>(broken_);
}

void Courier::gather(const std::shared_ptr<Gather>& gather) {
  {
    const std::lock_guard lock(mutex_);
    gather_ = gather;
    changed_.notify_all();
  }
  wait([&] { return gather_ != gather; });
}

void Courier::start(const std::shared_ptr<Summing>& sum) {
  check();
  const std::lock_guard lock(mutex_);
  if (sums_.empty()) sums_since_ = Clock::now();
  sums_.push_back(sum);
  changed_.notify_all();
}

void Courier::finish_sums() {
  const auto begin = Clock::now();
  wait([&] { return sums_.empty(); });
  const std::lock_guard lock(mutex_);
  traffic_.waited += std::chrono::duration<double>(Clock::now() - begin).count();
}

void Courier::check() {
  if (!is_broken_) return;
  const std::lock_guard lock(mutex_);
  fail<ProcessError>(broken_);
}

bool Courier::report_failure(const std::string& why) {
  std::unique_lock lock(mutex_);
  // What another one said is not told as this one's.
  to_tell_.push_back(failed + (broken_ != why ? str(called(rank_), ": ", why) : why));
  break_off(why);
  if (peers_[static_cast<size_t>(rank_)].silent)
    return false;  // the others told, and went on without this one
  const auto all_have_answered = Clock::now() + to_answer;
  for (int r = 0; r < rank_; ++r) {
    const Peer& peer = peers_[static_cast<size_t>(r)];
    const auto has_told = [&] { return peer.failed || peer.left; };
    if (peer.silent) continue;
    if (!changed_.wait_until(lock, all_have_answered, [&] { return peer.knows || has_told(); })) continue;
    changed_.wait_for(lock, timeout_, has_told);
    return false;
  }
  return true;
}

bool Courier::leave() {
  std::unique_lock lock(mutex_);
  const auto all_through = [&] {
    for (size_t r = 0; r < peers_.size(); ++r)
      if (static_cast<int>(r) != rank_ && !peers_[r].left && !peers_[r].failed) return false;
    return true;
  };
  const bool in_order = !is_broken_;
  if (in_order) to_tell_.push_back(std::string(1, left));
  changed_.notify_all();
  if (in_order) {
    changed_.wait(lock, [&] { return all_through() || is_broken_.load(); });
    if (is_broken_) fail<ProcessError>(broken_);
  } else {
    changed_.wait_for(lock, grace, all_through);
  }
  const bool quiet = all_through() && !gather_ && sums_.empty();
  if (quiet) {
    may_finish_ = true;
    changed_.notify_all();
    const Seconds patience = in_order ? std::min(to_finish, 10 * timeout_) : Seconds(grace);
    changed_.wait_for(lock, patience, [&] { return ended_; });
  }
  const bool ended = ended_;
  if (ended) {
    lock.unlock();
    thread_.join();
  }
  return ended;
}

ProcessTraffic Courier::traffic() {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

}  // namespace weft::detail
