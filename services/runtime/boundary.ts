/**
 * The places between which a process may be killed, in the order in which one input passes them. After each of them
 * the next start has to find something else: a test that ends the process exactly there needs to be told.
 */
export type Boundary =
  /** The writer was handed a message of NATS. */
  | 'input.received'
  /** An input and its consequences are computed, and in memory only. */
  | 'step.computed'
  /** About to hand the steps to the store. */
  | 'append.sent'
  /** The store has been handed them, and has not answered. */
  | 'append.pending'
  /** The steps are in the book, and nobody acted upon it. */
  | 'append.confirmed'
  /** Executor, publisher or verdicts read something new in the book, and have not acted upon it. */
  | 'effect.released'
  /** About to call the broker. */
  | 'broker.called'
  /** The broker has answered a call. */
  | 'broker.answered'
  /** The broker said what became of an order, and it is not on NATS yet. */
  | 'report.received'
  /** An input was acknowledged; the acknowledgement may still lie in a buffer. */
  | 'ack.sent'

/** Key of the global function that is called at each boundary, when it was set before this module is loaded. */
export const BOUNDARY_HOOK = Symbol.for('bitacora.boundary')

type Hook = (name: Boundary) => void

/** Tells a test that a boundary is passed. Nobody else sets the hook: the function is then empty. */
export const boundary: Hook =
  (globalThis as { [BOUNDARY_HOOK]?: Hook })[BOUNDARY_HOOK] ?? (() => undefined)
