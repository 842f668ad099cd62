import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cleanup } from './lifecycle.ts'
import { createLog } from './log.ts'

function cleanup(): { parts: Cleanup; ended: string[]; lines: string[] } {
  const lines: string[] = []
  const destination = { write: (text: string) => lines.push(text) }
  const parts = new Cleanup(createLog({ level: 'debug', name: 'test', destination }))
  return { parts, ended: [], lines }
}

/** The five seconds of a part pass at once. */
async function withoutPatience(body: () => Promise<void>): Promise<void> {
  const real = globalThis.setTimeout
  const hasty = (run: () => void, ms?: number) => real(run, ms === 5000 ? 5 : ms)
  globalThis.setTimeout = hasty as typeof setTimeout
  try {
    await body()
  } finally {
    globalThis.setTimeout = real
  }
}

test('parts end in the reverse order, one after the other', async () => {
  const { parts, ended, lines } = cleanup()
  for (const name of ['book', 'bus', 'writer']) {
    parts.add(name, async () => {
      ended.push(`${name} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      ended.push(`${name} ended`)
    })
  }
  await parts.run()
  assert.equal(ended, [
    'writer begins',
    'writer ended',
    'bus begins',
    'bus ended',
    'book begins',
    'book ended',
  ])
  assert.equal(lines, [])
})

test('a part that fails, at once or later, is named in the log and does not keep the others', async () => {
  const { parts, ended, lines } = cleanup()
  parts.add('book', async () => ended.push('book'))
  parts.add('bus', async () => {
    throw new Error('bus broke')
  })
  parts.add('writer', () => {
    throw new Error('writer broke')
  })
  await parts.run()
  assert.equal(ended, ['book'])
  assert.is(lines.length, 2)
  assert.match(lines[0]!, /"part":"writer".*writer did not end cleanly/)
  assert.match(lines[0]!, 'writer broke')
  assert.match(lines[1]!, 'bus broke')
})

test('a part that hangs is given up after five seconds', async () => {
  const { parts, ended, lines } = cleanup()
  parts.add('book', async () => ended.push('book'))
  parts.add('bus', () => new Promise(() => {}))
  await withoutPatience(() => parts.run())
  assert.equal(ended, ['book'])
  assert.is(lines.length, 1)
  assert.match(lines[0]!, 'not ended after 5 s')
  assert.match(lines[0]!, '"part":"bus"')
})

test('a part that fails after it was given up troubles nobody', async () => {
  const { parts, lines } = cleanup()
  const unhandled: unknown[] = []
  const listen = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', listen)
  try {
    parts.add(
      'bus',
      () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 30)),
    )
    await withoutPatience(() => parts.run())
    await new Promise((resolve) => setTimeout(resolve, 50))
  } finally {
    process.off('unhandledRejection', listen)
  }
  assert.equal(unhandled, [])
  assert.is(lines.length, 1)
})

test('everything ends once, however often it is asked for', async () => {
  const { parts, ended } = cleanup()
  parts.add('book', async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    ended.push('book')
  })
  const [first, second] = [parts.run(), parts.run()]
  assert.equal(ended, [])
  await second
  assert.equal(ended, ['book'])
  await first
  await parts.run()
  assert.equal(ended, ['book'])
})

test('a part that was added while the others end is ended too', async () => {
  const { parts, ended } = cleanup()
  parts.add('book', async () => ended.push('book'))
  parts.add('bus', async () => {
    parts.add('late', async () => ended.push('late'))
  })
  await parts.run()
  assert.equal(ended, ['late', 'book'])
})

test('nothing started, nothing to end', async () => {
  const { parts, lines } = cleanup()
  await parts.run()
  assert.equal(lines, [])
})

test.run()
