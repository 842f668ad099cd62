/** Header of a bar: the broker's report that must be in the book before it; every report that the bar caused is at or below. */
export const REPORTS_HEADER = 'bitacora-reports'
/** Header of a simulated broker's report: its clock, ms, which is engine time on a historical feed. */
export const CLOCK_HEADER = 'bitacora-clock'
/** Header of a broker's report: its sequence. */
export const SEQUENCE_HEADER = 'bitacora-broker-sequence'
/** Header of what the executor itself found out of an order: the engine's start that it holds for. */
export const RUN_HEADER = 'bitacora-run'
