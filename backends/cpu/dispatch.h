#pragma once

namespace rill {
struct Kernels;
}

namespace rill::cpu {

enum class InstructionSet { baseline, avx2, avx512 };
const char* to_string(InstructionSet set);
/// The set in use; chosen once. Throws ValueError when RILL_ISA names one that is unknown or not there.
InstructionSet instruction_set();
/// The table of one set; ValueError when the processor does not have it.
const Kernels& kernels_of(InstructionSet set);

}  // namespace rill::cpu
