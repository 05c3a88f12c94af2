#pragma once

namespace rill::cpu {

enum class InstructionSet { baseline, avx2, avx512 };
const char* to_string(InstructionSet set);
/// The set in use; chosen once. Throws ValueError when RILL_ISA names one that is unknown or not there.
InstructionSet instruction_set();

}  // namespace rill::cpu
