// weft::cli: all commands of weft, for a program with models, tasks, optimizers, schedules or tokenizers of its own:
//
//   int main(int argc, char** argv) {
//     weft::register_model<MyGPT>("mine");
//     return weft::command_line(argc, argv);
//   }
//
// is `weft` itself, and knows `--model mine` in train, eval, generate, attention, inspect, logits and export. Link
// weft::cli.
#pragma once

namespace weft {

/// Runs the command that was typed. Exit codes: 0 done; 2 refused before work began; 1 failed while working; 130 and 143
/// after SIGINT and SIGTERM. Standard streams that are closed are opened to the null device first, so that no file of a
/// run takes their place.
int command_line(int argc, char** argv);

}  // namespace weft
