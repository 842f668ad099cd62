// Clients of /stream, in a process of their own. URL COUNT as arguments; 'ready' over IPC when all are connected, then on
// any message what they saw since the last one: { lags, seen, gaps, lastIds, bytes }. Every tenth client reads each event;
// the others are read to the last byte, and only the newest id is looked at, so that the reading is not what is measured.
import { connect } from 'node:net'

const [url = '', count] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const READS_ALL = 10
/** @type {number[]} */
let lags = []
let [seen, gaps, bytes] = [0, 0, 0]
/** @type {number[]} */
const lastIds = []
const opened = []

for (let n = 0; n < Number(count); n++) opened.push(follow(n))
await Promise.all(opened)
process.on('disconnect', () => process.exit(0))
process.on('message', () => {
  process.send?.({ lags, seen, gaps, lastIds, bytes })
  lags = []
  seen = 0
  gaps = 0
  bytes = 0
})
process.send?.('ready')

/** @param {number} n */
function follow(n) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `GET /stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: keep-alive\r\n\r\n`,
      )
    })
    socket.setEncoding('latin1')
    const take = n % READS_ALL === 0 ? readAll(n) : readIds(n)
    socket.once('data', resolve)
    socket.on('data', (text) => {
      bytes += text.length
      take(String(text))
    })
    socket.on('error', reject)
    socket.on('close', () => {
      console.error(`client ${n} was disconnected`)
      process.exit(1)
    })
  })
}

/** @param {number} n */
function readAll(n) {
  let rest = ''
  return (/** @type {string} */ text) => {
    const now = performance.timeOrigin + performance.now()
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('id: ')) {
        const id = Number(line.slice(4))
        const last = lastIds[n]
        if (last !== undefined && id !== last + 1) gaps++
        lastIds[n] = id
        continue
      }
      const at = line.indexOf('"recordedAt":"')
      if (!line.startsWith('data: ') || at < 0) continue
      seen++
      lags.push(now - Date.parse(line.slice(at + 14, line.indexOf('"', at + 14))))
    }
  }
}

/** @param {number} n */
function readIds(n) {
  let rest = ''
  return (/** @type {string} */ text) => {
    // Long enough to hold the beginning of the last event, cut anywhere.
    rest = (rest + text).slice(-8192)
    const at = rest.lastIndexOf('\nid: ')
    const end = rest.indexOf('\n', at + 1)
    if (at >= 0 && end > 0) lastIds[n] = Number(rest.slice(at + 5, end))
  }
}
