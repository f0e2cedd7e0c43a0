#include "memory_plan.h"

#include <weft/layers/lora.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/machine/available_memory.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/clip.h>
#include <weft/optim/ema.h>
#include <weft/optim/gradient_shards.h>
#include <weft/train/build.h>
#include <weft/train/watch/update_watch.h>

#include <algorithm>
#include <functional>
#include <new>
#include <vector>

#include "evaluate.h"
#include "scoring.h"

namespace weft {
namespace {

/// What the profiler keeps of an event, and writes of it, measured.
constexpr int64_t profile_event = 1600;
/// What the statistics of a parameter take while they are told: two histograms, and the numbers and lines made of them.
constexpr int64_t told_statistics = 16'000;
/// What stacks of threads, OpenMP and the heap come to later, and what of the program and its libraries is read later.
constexpr int64_t program_later = int64_t{2} << 20, files_later = int64_t{5} << 20;

int64_t held() { return static_cast<int64_t>(memory_stats().in_use + memory_stats().cached); }

/// What is read by its values, and so cannot be just any memory: zeros, as long as nothing was freed yet.
struct ImaginedBatches {
  Batch now, next;
  std::vector<Batch> evaluated;  ///< what whole batches leave over
  Batch short_one;               ///< with whose few rows weights are packed
  Batch asked;                   ///< what a sample shows an answer to

  ImaginedBatches(const RunConfig& config, const TaskData& task)
      : now(task.largest(std::max(config.batch_size, task.largest_rows))),
        next(task.largest(std::max(config.batch_size, task.largest_rows))),
        short_one(task.smallest(config.batch_size)),
        asked(task.largest(1)) {
    for (const Samples* samples : {&task.seen, &task.unseen})
      if (const int64_t rows = samples->size() % config.batch_size; rows > 0)
        evaluated.push_back(task.largest(rows));
  }
};

void imagine_evaluation(const RunConfig& config, const ImaginedBatches& batches, bool whole, Model& model) {
  const Evaluating evaluating(model);
  const auto score = [&](const Batch& batch) { LossMeter().add(loss_of(config, model, batch)); };
  if (whole) score(batches.now);
  for (const Batch& batch : batches.evaluated) score(batch);
  for (int64_t time = 0; time < 2; ++time) score(batches.short_one);
}

/// A model may read the weight of a layer that it never calls.
void check_adapters(const Model& model, const std::vector<NamedTensor>& trained) {
  const LoraAlphas adapters = lora_alphas(model);
  for (const NamedTensor& p : trained)
    if (const std::string layer = adapted_layer(p.name);
        adapters.contains(layer) && !p.tensor.grad().defined())
      fail<ValueError>("lora_layers: an adapter of '", layer,
                       "' would do nothing: the model reads its weight, or leaves it out, but does not call "
                       "the layer. Leave it out of lora_layers, or write layer(x) in the model");
}

void imagine_update(const RunConfig& config, Model& model, Optimizer& optimizer, std::optional<EMA>& ema,
                    const Batch& batch) {
  std::vector<Array> partial_sums;
  const NumberRange shards = Processes::joined().shards(config.reduction_shards);
  for (int64_t kept = 1; kept < most_partial_sums(shards); ++kept)
    for (const NamedTensor& p : optimizer.parameters())
      partial_sums.emplace_back(p.tensor.shape(), p.tensor.dtype());
  std::optional<UpdateWatch> watch;
  if (config.stats_interval > 0 && Processes::joined().is_first()) watch.emplace(model, 0);
  for (int64_t micro = 0; micro < std::min<int64_t>(2, config.gradient_accumulation_steps); ++micro) {
    const RandomScope random({});
    loss_of(config, model, batch).sum.backward();
  }
  check_adapters(model, optimizer.parameters());
  grad_norm(optimizer.parameters());
  optimizer.step();
  watch.reset();
  if (ema) ema->update();
  optimizer.zero_grad();
}

/// One row that writes `tokens`, token by token at first, then in strides that let the caches grow as they will; behind
/// its context it begins anew with half of what that holds.
void imagine_writing(const GenerativeModel& model,
                     const std::function<std::unique_ptr<DecoderState>()>& start, int64_t tokens) {
  constexpr int64_t longest_stride = 64;
  const int64_t first = model.has_encoder() ? model.start_id() : 0, context = model.context();
  std::unique_ptr<DecoderState> state = start();
  int64_t done = 0;
  const auto read = [&](int64_t count) {
    Array ids({1, count}, int64);
    std::fill_n(ids.mutable_data<int64_t>(), count, done == 0 ? first : 0);
    model.next(ids, {}, *state).value().to(float32);
    done += count;
  };
  const auto write = [&](int64_t until) {
    while (done < until) read(std::clamp<int64_t>(done / 2, 1, std::min(longest_stride, until - done)));
  };
  write(std::min(tokens, context));
  if (tokens <= context) return;
  state = start();
  done = 0;
  read(std::max<int64_t>(1, context / 2));
  write(std::min(tokens, context));
}

void imagine_sample(const RunConfig& config, const TaskData& task, const ImaginedBatches& batches,
                    Model& model) {
  if (config.sample_tokens == 0) return;
  const Evaluating evaluating(model);
  const GenerativeModel* const writer = as_writer(model);
  const Batch& asked = batches.asked;
  if (!task.held_out) {
    if (task.shape.kind == TaskKind::language && writer && task.tokenizer)
      imagine_writing(
          *writer, [&] { return writer->start(1); }, config.sample_tokens);
  } else if (task.held_out->asks() && writer) {
    imagine_writing(
        *writer,
        [&] {
          return writer->has_encoder() ? writer->start(Batch{asked.inputs, {}, asked.lengths})
                                       : writer->start(1);
        },
        writer->has_encoder() ? std::min(longest_answer(*task.held_out, asked), writer->context())
                              : writer->context());
  } else {
    model.logits(asked).value().to(float32);
  }
}

std::string amount(int64_t bytes) {
  const double mb = 1e-6 * static_cast<double>(bytes);
  return mb < 9999.5 ? str(fixed(mb, mb < 99.95 ? 1 : 0), " MB") : str(fixed(1e-3 * mb, 1), " GB");
}

int64_t bytes_of(const StateDict& state) {
  int64_t bytes = 0;
  for (const auto& [name, value] : state.entries()) {
    if (const auto* array = std::get_if<Array>(&value)) bytes += static_cast<int64_t>(array->nbytes());
    if (const auto* below = std::get_if<std::shared_ptr<StateDict>>(&value)) bytes += bytes_of(**below);
  }
  return bytes;
}

/// What the pool of this thread comes to in a life of the model: evaluations, samples, updates.
void imagine_run(MemoryPlan& plan, const RunConfig& config, const TaskData& task, int64_t profiled,
                 const OwnParts& own) {
  const ImaginedBatches batches(config, task);
  const NoInit no_init;
  const int64_t before = held();
  const std::unique_ptr<Model> model = build_model(config, task, own);
  const std::unique_ptr<Optimizer> optimizer = build_optimizer(config, *model);
  Processes& processes = Processes::joined();
  if (config.shard_optimizer) optimizer->share_out(processes);
  if (config.reduction_shards > 1)
    plan.program +=
        GradientShards(optimizer->parameters(), config.reduction_shards, processes).staging_bytes();
  std::optional<EMA> ema;
  if (config.ema_decay > 0) ema.emplace(optimizer->parameters(), config.ema_decay);
  if (config.stats_interval > 0) plan.program += told_statistics * std::ssize(optimizer->parameters());
  plan.weights = 3 * (held() - before);
  for (int64_t step = 0; step < 2; ++step) {
    imagine_evaluation(config, batches, task.seen.size() >= config.batch_size, *model);
    imagine_sample(config, task, batches, *model);
    const bool counted = profiled > 0 && step == 1 && !profiling();
    if (counted) start_profile();
    imagine_update(config, *model, *optimizer, ema, batches.now);
    if (counted)
      plan.program += profile_event * profiled * std::ssize(stop_profile().events) *
                      std::max<int64_t>(1, config.gradient_accumulation_steps / 2);
  }
  StateDict state, counts;
  const StateDict weights = model->shared_state_dict();
  state.set("model", weights);
  state.set("optimizer", optimizer->shared_state_dict());
  if (ema) state.set("ema", ema->shared_state_dict());
  const bool shared_out = config.shard_optimizer && processes.size() > 1;
  // A state that is shared out is whole where it is written, as long as that takes.
  const int64_t written = shared_out && processes.is_first() ? bytes_of(state.dict("optimizer")) : 0;
  plan.weights = bytes_of(state) - bytes_of(state.dict("optimizer")) + optimizer->state_bytes();
  if (config.lora_rank > 0) {
    StateDict saved;
    for (const std::string& name : saved_parameters(*model, own)) saved.set(name, weights.array(name));
    state.set("model", saved);
  }
  for (const NamedTensor& p : optimizer->parameters()) counts.set(p.name, 0);
  state.set("counts", counts);
  if (task.tokenizer) state.set("tokenizer", task.tokenizer->state_dict());
  plan.checkpoint = !processes.is_first()
                        ? 0
                        : static_cast<int64_t>(most_hdf5_bytes(state) + hdf5_work_bytes(state)) + written;
  // What the pool holds beyond that, it gives back (bound_cached()).
  const auto peak = static_cast<int64_t>(memory_stats().peak);
  plan.update = std::min(held(), peak + peak / 16) - plan.weights;
}

[[noreturn]] void refuse(const MemoryPlan& plan, const RunConfig& config, const std::string& wanted,
                         const std::string& parts) {
  const auto with_value = [&](const char* key) {
    return config.parts.contains(key) ? str(key, " (", text_of(config.parts.at(key)), ")") : std::string(key);
  };
  const bool model_alone =
      plan.weights == 0 || plan.program + plan.weights + plan.checkpoint > plan.available;
  const std::string keys =
      model_alone
          ? str("Lower ", with_value("n_embd"), " or ", with_value("n_layer"))
          : str("Lower batch_size (", config.batch_size, "; gradient_accumulation_steps makes up for it) or ",
                with_value("block_size"), config.recompute ? "" : ", or set recompute=true");
  fail<MemoryError>("the run would take ", wanted, " of memory, but only ", amount(plan.available),
                    " are to be had", parts, ". ", keys);
}

}  // namespace

int64_t MemoryPlan::most() const { return std::max(loading, program + weights + update + checkpoint); }

MemoryPlan plan_memory(const RunConfig& config, const TaskData& task, int64_t profiled, const OwnParts& own) {
  release_cached();  // else what was computed before, and is over, would count as taken
  const int64_t resident = resident_memory(), peak = peak_resident_memory(), pool = held(),
                files = resident_files();
  MemoryPlan plan{.program = std::max<int64_t>(0, resident - pool) + program_later + files + files_later,
                  .available = available_memory()};
  if (plan.available < detail::unlimited_memory - resident - files) {
    plan.available += resident + files;
    plan.available /= Processes::joined().on_this_machine();
  }
  const DryRun dry;
  const auto refuse_more = [&] { refuse(plan, config, str("more than ", amount(held())), ""); };
  try {
    imagine_run(plan, config, task, profiled, own);
  } catch (const MemoryError&) {
    refuse_more();
  } catch (const std::bad_alloc&) {  // of what is beside the buffers, where addresses are limited
    refuse_more();
  }
  plan.loading = std::max(peak, resident + plan.weights) + files + files_later;
  if (plan.most() > plan.available)
    refuse(plan, config, amount(plan.most()),
           str(": ", amount(plan.weights), " for weights and optimizer, ", amount(plan.update),
               " for an update, ", amount(plan.checkpoint), " for a checkpoint"));
  return plan;
}

std::vector<std::string> settings_with_room(RunConfig config, const TaskData& task, int64_t profiled,
                                            const OwnParts& own) {
  const auto has_room = [&](const RunConfig& tried) {
    try {
      plan_memory(tried, task, profiled, own);
      return true;
    } catch (const MemoryError&) {
      return false;
    }
  };
  // Micro-batches take more than one batch of their size: even of one sample each they may have no room.
  RunConfig cut = config;
  while (cut.batch_size > 1) {
    int64_t parts = 2;
    while (cut.batch_size % parts != 0) ++parts;
    cut.batch_size /= parts;
    cut.gradient_accumulation_steps *= parts;
    if (has_room(cut))
      return {str("batch_size=", cut.batch_size),
              str("gradient_accumulation_steps=", cut.gradient_accumulation_steps)};
  }
  // The sizes of what a run begins from are what they are.
  const auto halved = [&](const char* key, int64_t divisor) {
    const int64_t half = config.parts.contains(key) ? config.parts.integer(key) / 2 : 0;
    if (half < 1 || half % divisor != 0) return false;
    config.parts.set(key, half);
    return true;
  };
  const int64_t heads = config.parts.contains("n_head") ? config.parts.integer("n_head") : 1;
  while (config.init_from.empty() && (halved("n_embd", 2 * heads) || halved("n_layer", 1)))
    if (has_room(config)) {
      std::vector<std::string> settings;
      for (const char* key : {"n_embd", "n_layer"})
        if (config.parts.contains(key)) settings.push_back(str(key, "=", config.parts.integer(key)));
      return settings;
    }
  return {};
}

MemoryPlan plan_with_advice(const RunConfig& config, const TaskData& task, int64_t profiled,
                            const OwnParts& own) {
  try {
    return plan_memory(config, task, profiled, own);
  } catch (const MemoryError& error) {
    fail_with<MemoryError>({.settings = settings_with_room(config, task, profiled, own)}, error.what());
  }
}

std::string describe(const MemoryPlan& plan) {
  return str("memory: at most ", amount(plan.most()), " (weights and optimizer ", amount(plan.weights),
             ", an update ", amount(plan.update), ", a checkpoint ", amount(plan.checkpoint),
             ", the program ", amount(plan.program), "); ", amount(plan.available), " are available");
}

}  // namespace weft
