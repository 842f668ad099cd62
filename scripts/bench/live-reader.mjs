// The other end of a plain JetStream round trip, in a process of its own as the engine is: reads a stream by a pull
// consumer, acknowledges each message, and notes when each came and when it was written to a file and synced, which is the
// least that a consumer does who must not lose it. NATS_URL STREAM CONSUMER FILE as arguments; answers over IPC: 'ready',
// then on any message all of [number, came, synced].
import { fdatasync, openSync, write } from 'node:fs'
import { connect } from 'nats'

const [url, stream, consumer, file = ''] = process.argv.slice(2)
const fd = openSync(file, 'w')
const nc = await connect({ servers: url })
const messages = await (await nc.jetstream().consumers.get(stream, consumer)).consume({
  max_messages: 2000,
})
/** @type {[number, number, number][]} */
const came = []
process.on('message', () => {
  process.send?.(came, () => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
for await (const message of messages) {
  const at = now()
  message.ack()
  const { n } = message.json()
  // Beside the loop, so that a slow disk does not hold up the next message.
  write(fd, message.data, 0, message.data.length, n * message.data.length, (failed) => {
    if (failed) throw failed
    fdatasync(fd, (error) => {
      if (error) throw error
      came.push([n, at, now()])
    })
  })
}

function now() {
  const [seconds, nanos] = process.hrtime()
  return seconds * 1000 + nanos / 1e6
}
