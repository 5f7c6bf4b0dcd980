// Ctrl-C (SIGINT) and SIGTERM, asked for politely: the run stops reading, finishes what is under way, and says how far
// it came. A second signal ends the process at once.
#ifndef DATELINE_CLI_INTERRUPT_H_
#define DATELINE_CLI_INTERRUPT_H_

#include "absl/time/time.h"

namespace dateline::cli {

// Installs the handlers for the rest of the process. Call it once, before threads are started.
void InstallInterruptHandler();

// Whether a signal has come. Thread-safe.
bool Interrupted();

// Readable from the first signal on, for poll(); -1 before InstallInterruptHandler().
int InterruptDescriptor();

// Waits for `duration`, or until a signal comes. False if one has come. Needs InstallInterruptHandler().
bool SleepUnlessInterrupted(absl::Duration duration);

}  // namespace dateline::cli

#endif  // DATELINE_CLI_INTERRUPT_H_
