// The signals that end a server.
#ifndef DATELINE_COMMON_RPC_SIGNALS_H_
#define DATELINE_COMMON_RPC_SIGNALS_H_

namespace dateline::common::rpc {

// Construct one first thing in main(), before any thread starts: threads inherit the mask, so that the signals wait for
// Wait() instead of ending the process. No handler runs, so nothing needs to be async-signal-safe.
class TerminationSignals {
 public:
  // Blocks SIGTERM and SIGINT in this thread and those it starts; ignores SIGPIPE in the process, so that writing to a
  // peer that is gone is an error and not the end.
  TerminationSignals();

  // Waits for the next SIGTERM or SIGINT and returns its number. While a shutdown that takes long is under way the
  // caller may let a second signal end the process: see Restore().
  int Wait() const;

  // Unblocks both again: the next one ends the process at once.
  void Restore() const;
};

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_SIGNALS_H_
