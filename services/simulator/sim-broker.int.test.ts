import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { barToWire } from '../../engine/market/bar-wire.ts'
import type { BrokerReport } from '../../engine/ports/broker.ts'
import { DAY_MS } from '../../engine/time.ts'
import { openSimBroker } from './sim-broker.ts'

const BOOK = 'b0123456789abcdef'
const ROUNDS = 10
const CHILD = resolve(import.meta.dirname, 'sim-broker-process.ts')

/** Runs the trading process, kills it so many ms after it is ready; resolves to what it said. */
function killedAfter(dir: string, first: number, ms: number): Promise<string[]> {
  const path = join(dir, 'said.txt')
  // A file, because a pipe that is full would stop the process at a place of our choosing.
  const said = openSync(path, 'w')
  return new Promise<string[]>((done, fail) => {
    const args = ['--import', 'tsx', CHILD, dir, BOOK, String(first)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', said, 'pipe', 'ipc'] })
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    let errors = ''
    let timer: NodeJS.Timeout | undefined
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.on('message', () => {
      timer = setTimeout(() => child.kill('SIGKILL'), ms)
    })
    child.on('error', fail)
    child.on('close', (_code, signal) => {
      clearTimeout(late)
      clearTimeout(timer)
      if (signal !== 'SIGKILL' || timer === undefined)
        fail(new Error(`it ended by itself: ${errors}`))
      // The last line may be cut.
      else done(readFileSync(path, 'utf8').split('\n').slice(0, -1))
    })
  }).finally(() => closeSync(said))
}

test('killed at any instant: nothing that was answered is forgotten or said otherwise', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sim-broker-'))
  try {
    const known = new Set<string>()
    const bars = new Map<number, number>()
    let reports: string[] = []
    for (let round = 0, next = 1; round < ROUNDS; round++) {
      const lines = await killedAfter(dir, next, 5 + Math.random() * 150)
      const said = lines.filter((line) => line.startsWith('R ')).map((line) => line.slice(2))
      assert.ok(said.length >= reports.length, `round ${round}: reports are missing`)
      assert.equal(said.slice(0, reports.length), reports, `round ${round}`)
      reports = said
      for (const line of lines) {
        const [what, name = '', sequence] = line.split(' ')
        if (what === 'K') known.add(name)
        if (what === 'B') bars.set(Number(name), Number(sequence))
      }
      const numbers = [...known].map((name) => Number(name.split('-')[1]))
      // Replacements have ids with a letter.
      next = 1 + Math.max(0, ...numbers.filter(Number.isInteger))
    }
    assert.ok(known.size > 50, `${known.size} orders were answered`)
    const settings = {
      ...{ cash: '1000000', fill: 'next-open' as const, limitFill: 'through' as const },
      ...{ participation: 0, slippageBps: 1, commission: '0.001', feePerShare: '0', feeMin: '0' },
    }
    const broker = openSimBroker({ dir, settings, bookId: BOOK })
    try {
      for (const name of known) assert.ok(await broker.knows(name), `${name} was forgotten`)
      const all: BrokerReport[] = []
      broker.reports(0, (report) => all.push(report))
      assert.equal(
        all.slice(0, reports.length).map((r) => JSON.stringify(r)),
        reports,
      )
      assert.equal(
        all.map(({ sequence }) => sequence),
        all.map((_, i) => i + 1),
      )
      const accepted = all.filter(({ kind }) => kind === 'accepted').map((r) => r.clientOrderId)
      assert.is(new Set(accepted).size, accepted.length, 'an order exists twice')
      const [day, sequence] = [...bars].at(-1) as [number, number]
      const before = broker.lastSequence()
      assert.ok(before >= sequence)
      const prices = { open: 10, high: 11, low: 9, close: 10, volume: Number.NaN }
      broker.onBar(barToWire({ symbol: 'A', time: day * DAY_MS, ...prices }, 'file', '1d'))
      assert.is(broker.lastSequence(), before, 'a bar traded twice')
    } finally {
      broker.close()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test.run()
