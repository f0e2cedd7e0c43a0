// weft as several processes.
#pragma once

#include <string>
#include <vector>

#include "program.h"

/// Whether several can be started; if not, says that a test is skipped.
bool has_mpirun();

/// `mpirun -n COUNT`, to stand in front of a program; on two cores too, and as root.
Arguments mpirun(int count);
/// The same for one process behind each of these words, all but the last with `weft ARGUMENTS...`, which the program that this
/// stands in front of is of the last.
Arguments mpirun_each(const std::vector<Arguments>& before, const Arguments& arguments);
/// Of one program of several, for Program::Options::environment.
std::vector<std::string> mpirun_environment(const std::vector<std::string>& more = {});

/// `weft ARGUMENTS...` as so many processes; as one without mpirun.
Result together(const Folder& folder, int count, const Arguments& arguments,
                const std::vector<std::string>& environment = {});

/// The processes of an mpirun under way, by rank, once all are there; empty when they do not come.
std::vector<int> processes_below(const Program& run, int count);
/// Waits for the end of an mpirun, some process of which was killed or stopped: that all of them end is checked. Open MPI 4.1
/// with PMIx 4.2 frees twice what it knows of a process that is killed while it connects, and then waits for ever within its
/// own end: ten seconds after the last of its processes it is killed.
Result end_of(Program& run);

/// Settings of a model that is trained in a moment, with `more`.
Arguments of_text(const Arguments& more);
size_t count_of(const std::string& text, const std::string& part);
