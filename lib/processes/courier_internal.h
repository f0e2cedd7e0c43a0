// The thread that does all that goes between processes. Internal to lib/processes.
#pragma once

#include <weft/lib/processes/mpi_plugin_internal.h>
#include <weft/lib/processes/processes.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weft::detail {

/// Bytes of each process, side by side.
struct Shares {
  std::vector<int> bytes, at;

  explicit Shares(size_t processes) : bytes(processes), at(processes) {}
  /// Places one behind the other; how long all are. ProcessError beyond 2 GB.
  size_t place();
};

/// The functions of MPI, for one thread; an error of theirs is a ProcessError.
class Link {
 public:
  Link();
  int rank() const { return rank_; }
  int size() const { return size_; }

  int64_t all_to_all(int channel, const void* from, const Shares& out, void* to, const Shares& in);
  int64_t all_gather(int channel, const void* from, int bytes, void* to, const Shares& in);
  /// Of shares that lie in their places; those of others are taken there.
  int64_t all_gather_in_place(int channel, void* shares, const Shares& in);
  bool is_done(int64_t& request);
  /// Of a long one the beginning.
  void send(const std::string& message, int to);
  /// A message to this process; false when there is none.
  bool receive(std::string& message, int& from);
  /// Forgets what was sent, as far as it is gone; whether all is.
  bool is_sent();
  void finish();
  ProcessTraffic traffic;

 private:
  void check(int error) const;

  struct Sent {
    std::string text;
    int64_t request;
  };
  const weft_mpi_functions* mpi_;
  int rank_ = 0, size_ = 1;
  std::list<Sent> sent_;
};

/// A text of each, to all.
class Gather {
 public:
  explicit Gather(std::string mine) : mine_(std::move(mine)) {}
  /// Goes on without waiting; whether it is through.
  bool advance(Link& link);
  std::vector<std::string> all;

 private:
  const std::string mine_;
  int stage_ = 0;
  int64_t request_ = 0, length_ = 0;
  std::vector<int64_t> lengths_;
  std::unique_ptr<Shares> shares_;
  std::string taken_;
};

/// A ShardSum: each process adds a part of the numbers, of which it is given all subtrees, and gives it to all.
class Summing {
 public:
  Summing(ShardSum sum, int rank, int size);
  /// Goes on without waiting; whether it is through. `turn` says that the one before has begun all it will.
  bool advance(Link& link, bool turn);
  bool has_begun_all() const { return stage_ >= 2; }

 private:
  /// Numbers that process r adds.
  NumberRange part(int r) const;
  void pack();
  void add();

  const ShardSum sum_;
  const int rank_, size_;
  const int bytes_;  ///< of a number
  std::vector<std::vector<Subtree>> subtrees_;
  int stage_ = 0;
  int64_t request_ = 0;
  Shares out_, in_, whole_;
  std::vector<char> given_, taken_, own_, result_;  ///< own_: of the part that is added here
};

class Courier {
 public:
  using Seconds = std::chrono::duration<double>;

  /// Joins the others. ProcessError when that fails; JoinError when it takes longer than `patience`: then the thread that
  /// joins goes on trying, and what it works with is never freed.
  static std::unique_ptr<Courier> joined(Seconds timeout, Seconds patience);
  ~Courier();

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// How messages call the processes, once that is known.
  void call(std::vector<std::string> names);

  void gather(const std::shared_ptr<Gather>& gather);
  void start(const std::shared_ptr<Summing>& sum);
  void finish_sums();
  void check();
  bool report_failure(const std::string& why);
  bool leave();
  ProcessTraffic traffic();

 private:
  using Clock = std::chrono::steady_clock;
  explicit Courier(Seconds timeout) : timeout_(timeout) {}
  struct Peer {
    bool left = false, failed = false;
    bool silent = false;  ///< another one says
    bool knows = false;   ///< that something has failed
  };

  void join();
  void run();
  bool advance();
  void watch();
  void hear(const std::string& message, int from);
  void tell_all(const std::string& message);
  /// Something keeps the others from going on.
  void break_off(const std::string& why);
  void wait(const std::function<bool()>& done);
  std::string called(int rank) const;

  const Seconds timeout_;
  int rank_ = 0, size_ = 1;
  std::unique_ptr<Link> link_;  ///< of the thread alone

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> names_;
  std::shared_ptr<Gather> gather_;
  std::deque<std::shared_ptr<Summing>> sums_;
  std::deque<std::string> to_tell_;
  std::vector<Peer> peers_;
  std::string broken_;  ///< why nothing goes on; empty while all does
  std::atomic<bool> is_broken_{false};
  std::exception_ptr error_;  ///< why this one has not joined
  bool joined_ = false, given_up_ = false, may_finish_ = false, ended_ = false;
  ProcessTraffic traffic_;
  Clock::time_point heard_, told_, watched_, sums_since_{};
  Clock::time_point left_since_{};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace weft::detail
