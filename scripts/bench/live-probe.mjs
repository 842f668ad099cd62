// Loaded with `node --import` into an engine that is measured: notes when the simulated broker is called with an order,
// and when the signal before it passed the boundaries of services/runtime/boundary.ts. BENCH_PROBE names the file that
// is written at the end: one line an order, [client order id, called, times of the last passage of each boundary].
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const file = process.env.BENCH_PROBE
delete process.env.BENCH_PROBE
// Whoever follows the book hears of an append in the turn in which it is written, before its writer does.
const BOUNDARIES = ['input.received', 'step.computed', 'append.sent']

if (file !== undefined && process.argv[1] !== undefined) {
  /** @type {Record<string, number>} */
  const last = {}
  const hook = (/** @type {string} */ name) => {
    last[name] = now()
  }
  Object.assign(globalThis, { [Symbol.for('bitacora.boundary')]: hook })
  const simulator = join(dirname(process.argv[1]), '../simulator/sim-broker.js')
  const { SimBroker } = await import(pathToFileURL(simulator).href)
  const { submit } = SimBroker.prototype
  /** @type {[string, number, (number | undefined)[]][]} */
  const called = []
  SimBroker.prototype.submit = function (/** @type {{ clientOrderId: string }} */ order) {
    called.push([order.clientOrderId, now(), BOUNDARIES.map((name) => last[name])])
    return submit.call(this, order)
  }
  process.on('exit', () =>
    writeFileSync(file, called.map((row) => `${JSON.stringify(row)}\n`).join('')),
  )
}

/** Milliseconds of the monotonic clock, which all processes of one machine share. */
function now() {
  const [seconds, nanos] = process.hrtime()
  return seconds * 1000 + nanos / 1e6
}
