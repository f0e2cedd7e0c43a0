// weft: trains, scores and runs transformers and what they are compared with.
#include <weft/tools/cli.h>

int main(int argc, char** argv) { return weft::command_line(argc, argv); }
