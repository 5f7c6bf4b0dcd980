// The signals that end a server, and the one that makes it load its files again.
#ifndef DATELINE_COMMON_RPC_SIGNALS_H_
#define DATELINE_COMMON_RPC_SIGNALS_H_

namespace dateline::common::rpc {

// Construct one first thing in main(), before any thread starts: threads inherit the mask, so that the signals wait for
// Wait() instead of ending the process. No handler runs, so nothing needs to be async-signal-safe.
class TerminationSignals {
 public:
  // What SIGHUP is to the server: the end, as by default (the terminal is gone), or for Wait() to return.
  enum class Hangup { kEnds, kReload };

  // Blocks SIGTERM and SIGINT, and with kReload SIGHUP, in this thread and those it starts; ignores SIGPIPE in the
  // process, so that writing to a peer that is gone is an error and not the end.
  explicit TerminationSignals(Hangup hangup = Hangup::kEnds);

  // Waits for the next SIGTERM or SIGINT, with kReload also SIGHUP, and returns its number. Of several SIGHUPs that
  // come while nobody waits, one is kept. While a shutdown that takes long is under way the caller may let a second
  // signal end the process: see Restore().
  int Wait() const;

  // Unblocks SIGTERM and SIGINT again: the next one ends the process at once. SIGHUP stays without effect.
  void Restore() const;

 private:
  const Hangup hangup_;
};

}  // namespace dateline::common::rpc

#endif  // DATELINE_COMMON_RPC_SIGNALS_H_
