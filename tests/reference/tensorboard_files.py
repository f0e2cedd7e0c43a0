"""What TensorBoard's own package reads and writes of event files (pip install tensorboard; seen with 2.21).

    python tests/reference/tensorboard_files.py            writes tensorboard.events, which tests/train/files reads
    python tests/reference/tensorboard_files.py RUN ...    holds what it reads in runs against their other files
"""

import glob
import json
import os
import struct
import sys

from tensorboard.compat.proto import event_pb2, histogram_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def plugin_value(tag, plugin, content, tensor):
    data = summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    metadata = summary_pb2.SummaryMetadata(plugin_data=data, data_class=summary_pb2.DATA_CLASS_TENSOR)
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)


def write_events(path):
    """The events that event_file_test.cpp makes, by TensorBoard's own messages."""
    value = summary_pb2.Summary.Value
    histogram = histogram_pb2.HistogramProto(
        min=-1, max=3, num=10, sum=7.5, sum_squares=21.25, bucket_limit=[0, 1, 2, 3], bucket=[1, 0, 4, 5])
    single = histogram_pb2.HistogramProto(min=2, max=2, num=5, sum=10, sum_squares=20, bucket_limit=[2], bucket=[5])
    text = tensor_pb2.TensorProto(
        dtype=7, tensor_shape=tensor_shape_pb2.TensorShapeProto(), string_val=["    one\n    \n    zwölf".encode()])
    empty = tensor_pb2.TensorProto(
        dtype=1, tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=0)]))
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=1700000001.5)
    start.hparams["a_flag"].bool_value = False
    start.hparams["b_flag"].bool_value = True
    start.hparams["count"].number_value = 0
    start.hparams["model"].string_value = "gpt2"
    start.hparams["rate"].number_value = 0.001
    start.hparams["text"].string_value = ""
    content = plugin_data_pb2.HParamsPluginData(version=0, session_start_info=start)
    settings = plugin_value(
        "_hparams_/session_start_info", "hparams", content.SerializeToString(deterministic=True), empty)
    summaries = [
        (1700000001.5, 0, [settings]),
        (1700000001.5, 0, [value(tag="loss/train", simple_value=4.5), value(tag="zero", simple_value=0)]),
        (1700000002.25, 250, [plugin_value("sample", "text", b"", text)]),
        (1700000003.0, 1 << 40, [value(tag="weights/a", histo=histogram), value(tag="weights/b", histo=single)]),
    ]
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    events = [event_pb2.Event(wall_time=1700000000.0, file_version="brain.Event:2"),
              event_pb2.Event(wall_time=1700000000.5, session_log=start)]
    for wall_time, step, values in summaries:
        events.append(
            event_pb2.Event(wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=values)))
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString(deterministic=True))
        writer.flush()


def lines_of(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def as_float(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def check_run(run):
    """Curves, texts, histograms and settings as TensorBoard sees them, against the run's own files."""
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util

    accumulator = event_accumulator.EventAccumulator(run, size_guidance=dict.fromkeys(
        (event_accumulator.SCALARS, event_accumulator.HISTOGRAMS, event_accumulator.TENSORS), 0))
    accumulator.Reload()
    tags = accumulator.Tags()
    files = [os.path.getsize(file) for file in sorted(glob.glob(os.path.join(run, "events.out.tfevents.*")))]
    assert files[-1] > 0 and not any(files[:-1]), files
    metrics = lines_of(os.path.join(run, "metrics.jsonl"))

    keys = {"loss/train": "loss", "learning_rate": "lr", "gradient_norm": "grad_norm",
            "tokens_per_second": "tokens_per_second", "memory_bytes": "memory_bytes", "tokens": "tokens",
            "loss/validation": "val_loss", "loss/train_evaluated": "train_loss",
            "bits_per_byte/validation": "val_bits_per_byte", "accuracy/validation": "val_accuracy"}
    points = 0
    for tag, key in keys.items():
        wanted = [(line["step"], as_float(line[key])) for line in metrics if key in line]
        found = [(e.step, e.value) for e in accumulator.Scalars(tag)] if tag in tags["scalars"] else []
        assert found == wanted, (tag, found[:3], wanted[:3])
        points += len(found)

    samples = os.path.join(run, "samples.jsonl")
    if os.path.exists(samples):
        texts = [(e.step, tensor_util.make_ndarray(e.tensor_proto).item().decode())
                 for e in accumulator.Tensors("sample")]
        assert texts == [(s["step"], "    " + s["text"].replace("\n", "\n    ")) for s in lines_of(samples)]

    statistics = os.path.join(run, "statistics.jsonl")
    histograms = 0
    if os.path.exists(statistics):
        lines = lines_of(statistics)
        for kind in ("weights", "gradients"):
            for path in lines[0][kind]:
                found = accumulator.Histograms(f"{kind}/{path}")
                assert [e.step for e in found] == [line["step"] for line in lines], path
                for event, line in zip(found, lines):
                    told, h = line[kind][path], event.histogram_value
                    assert (h.min, h.max) == (told["min"], told["max"])
                    counts = told["histogram"]
                    assert list(h.bucket) == (counts if h.min < h.max else counts[:1])
                    assert len(h.bucket_limit) == len(h.bucket) and h.bucket_limit[-1] == h.max
                    assert all(a <= b for a, b in zip(h.bucket_limit, h.bucket_limit[1:]))
                    histograms += 1
        for line in lines:
            for path, update in line["updates"].items():
                wanted = (line["step"], as_float(update["ratio"]))
                assert wanted in [(e.step, e.value) for e in accumulator.Scalars(f"statistics/update_ratio/{path}")]

    content = accumulator.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    settings = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["model"].string_value and settings["max_iters"].WhichOneof("kind") == "number_value"
    print(f"{run}: {points} points of {len(tags['scalars'])} curves, {histograms} histograms, "
          f"{len(settings)} settings: as the run's files say")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for run in sys.argv[1:]:
            check_run(run)
    else:
        write_events(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensorboard.events"))
