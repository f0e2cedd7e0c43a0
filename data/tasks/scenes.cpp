#include <weft/data/generators/scenes.h>
#include <weft/data/tasks/registry.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

struct Question {
  std::string name;
  Scene (*draw)(Draws&);
  std::vector<std::string> classes;
};

const std::vector<Question>& questions() {
  static const std::vector<Question> all = {
      {"which", draw_which, {"circle", "square", "triangle", "cross", "diamond", "ring"}},
      {"count", draw_count, {"one", "two", "three", "four", "five"}},
      {"where",
       draw_where,
       {"top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"}},
      {"segments", draw_segments, {"ground", "circle", "square", "triangle", "cross"}},
  };
  return all;
}

class SceneTask : public TaskDataset {
 public:
  SceneTask(const Question& question, const TaskOptions& options)
      : TaskDataset(question.name, options, nullptr, question.classes),
        draw_(question.draw),
        patches_(question.name == "segments") {
    if (options.min_length != 0 || options.max_length != 0 || options.tokenizer)
      fail<ValueError>(name(), ": is about pictures: takes no min_length, max_length and tokenizer");
  }

  TaskKind kind() const override { return patches_ ? TaskKind::patches : TaskKind::pictures; }
  TaskSizes sizes() const override {
    return {
        .channels = Scene::channels, .height = Scene::height, .width = Scene::width, .patch = Scene::patch};
  }
  std::vector<std::string> scores() const override {
    return patches_ ? std::vector<std::string>{"iou", "accuracy"}
                    : std::vector<std::string>{"accuracy", "f1"};
  }

  Batch batch(int64_t first, int64_t count) const override {
    check_samples(name().c_str(), first, count);
    constexpr int64_t values = Scene::channels * Scene::pixels;
    Batch batch{Array({count, Scene::channels, Scene::height, Scene::width}, float32),
                Array(patches_ ? Shape{count, Scene::patches} : Shape{count}, int64)};
    float* inputs = batch.inputs.mutable_data<float>();
    int64_t* targets = batch.targets.mutable_data<int64_t>();
    const RandomKey noise = random_key(options().seed, stream_id("scenes.noise"));
    for (int64_t row = 0; row < count; ++row) {
      const uint64_t index = sample_of(first + row);
      const Scene scene = draw_in(options().split, options().seed, name(), index, draw_, &Scene::content);
      render(scene, noise, index, {inputs + row * values, static_cast<size_t>(values)});
      if (patches_)
        targets = std::ranges::copy(patch_labels(scene), targets).out;
      else
        *targets++ = scene.label;
    }
    return batch;
  }

 private:
  Scene (*draw_)(Draws&);
  bool patches_;
};

}  // namespace

TaskPointer make_scene_task(const std::string& name, const TaskOptions& options) {
  return std::make_shared<SceneTask>(*std::ranges::find(questions(), name, &Question::name), options);
}

}  // namespace weft
