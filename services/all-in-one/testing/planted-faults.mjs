// Faults planted into a built engine, to see that the kill matrix finds them. Each breaks one promise.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * @param {string} name
 * @param {string} dist folder of the build that the engine runs from
 * @param {string} dir the engine's folder
 */
export async function plant(name, dist, dir) {
  const from = (/** @type {string} */ file) => import(pathToFileURL(join(dist, file)).href)
  const fault = FAULTS[name]
  if (fault === undefined) throw new Error(`no planted fault is called ${name}`)
  await fault(from, dir)
}

/** @type {Record<string, (from: (file: string) => Promise<any>, dir: string) => Promise<void>>} */
const FAULTS = {
  /** Acknowledges an input and forgets it. */
  'lose-input': async (from) => {
    const { InputQueues } = await from('services/writer/input-queues.js')
    const push = InputQueues.prototype.push
    let bars = 0
    InputQueues.prototype.push = function (stream, waiting) {
      if (stream === 'MARKET' && ++bars === 40) waiting.settle()
      else push.call(this, stream, waiting)
    }
  },
  /** Sends an order to the broker when it is computed, before it is in the book; dies once between the two. */
  'send-early': async (from, dir) => {
    const { SimBroker } = await from('services/simulator/sim-broker.js')
    const { StepRecorder } = await from('engine/events/step-recorder.js')
    const { brokerOrder } = await from('engine/trading/broker-order.js')
    const { boundBook, reports } = {
      boundBook: { id: '', broker: /** @type {any} */ (null) },
      reports: SimBroker.prototype.reports,
    }
    SimBroker.prototype.reports = function (after, handler) {
      boundBook.broker = this
      return reports.call(this, after, handler)
    }
    const { Writer } = await from('services/writer/writer.js')
    const start = Writer.prototype.start
    Writer.prototype.start = function () {
      boundBook.id = this.options.bookId
      return start.call(this)
    }
    const compute = StepRecorder.prototype.compute
    StepRecorder.prototype.compute = function (...args) {
      const step = compute.apply(this, args)
      for (const event of step.events) {
        if (event.type !== 'order.intended' || boundBook.broker === null) continue
        boundBook.broker.submit(brokerOrder(boundBook.id, event.data)).catch(() => undefined)
        // Writes what waits at once.
        boundBook.broker.knows('').catch(() => undefined)
        if (event.data.orderId < 5 || existsSync(join(dir, 'kills'))) continue
        writeFileSync(join(dir, 'kills'), 'engine planted 1\n')
        process.kill(process.pid, 'SIGKILL')
      }
      return step
    }
  },
  /** Sends an order that the book has no answer for by another name, once an engine of the folder was killed. */
  'rename-orders': async (from, dir) => {
    const { SimBroker } = await from('services/simulator/sim-broker.js')
    const { submit, knows } = SimBroker.prototype
    const suffix = existsSync(join(dir, 'kills')) ? 'x' : ''
    SimBroker.prototype.submit = function (order) {
      return submit.call(this, { ...order, clientOrderId: `${order.clientOrderId}${suffix}` })
    }
    SimBroker.prototype.knows = function (id) {
      return knows.call(this, `${id}${suffix}`)
    }
  },
}
