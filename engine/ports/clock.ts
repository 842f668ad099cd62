/** The wall clock, for services. The engine's own time is an event's `at`. */
export interface Clock {
  /** ms since the epoch. */
  now(): number
}
