// weft as several processes.
#pragma once

#include <string>
#include <vector>

#include "program.h"

/// Whether several can be started; if not, says that a test is skipped.
bool has_mpirun();

/// `mpirun -n COUNT`, to stand in front of a program; on two cores too, and as root.
Arguments mpirun(int count);
/// Of one program of several, for Program::Options::environment.
std::vector<std::string> mpirun_environment(const std::vector<std::string>& more = {});

/// `weft ARGUMENTS...` as so many processes; as one without mpirun.
Result together(const Folder& folder, int count, const Arguments& arguments,
                const std::vector<std::string>& environment = {});

/// The processes of a program below this one, by rank, once all are there; empty when they do not come.
std::vector<int> processes_below(int mpirun, int count);
