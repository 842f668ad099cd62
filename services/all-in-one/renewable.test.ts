import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Renewable } from './renewable.ts'

class Part {
  readonly done: Promise<void>
  fail: (error: unknown) => void = () => {}
  closed = 0
  readonly number: number
  constructor(number: number) {
    this.number = number
    this.done = new Promise((_, reject) => {
      this.fail = reject
    })
  }
  async close(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5))
    this.closed++
  }
}

function parts() {
  const made: Part[] = []
  const renewable = new Renewable(() => {
    const part = new Part(made.length + 1)
    made.push(part)
    return part
  })
  return { made, renewable }
}

test('a renewal closes the part, then starts another; calls during one are that one', async () => {
  const { made, renewable } = parts()
  const first = renewable.renew()
  assert.is(renewable.current.number, 1, 'still the old one while it closes')
  await Promise.all([first, renewable.renew(), renewable.renew()])
  assert.equal([made.length, made[0]?.closed, renewable.current.number], [2, 1, 2])
  await renewable.renew()
  assert.is(renewable.current.number, 3)
  await renewable.close()
  assert.is(made[2]?.closed, 1)
})

test('a part that fails ends it, a former part does not', async () => {
  const { made, renewable } = parts()
  await renewable.renew()
  made[0]?.fail(new Error('old'))
  const ended = renewable.done.catch((error: Error) => error.message)
  assert.is(await Promise.race([ended, new Promise((go) => setTimeout(go, 20, 'runs'))]), 'runs')
  made[1]?.fail(new Error('new'))
  assert.is(await ended, 'new')
})

test('closed while it is renewed, it starts nothing more', async () => {
  const { made, renewable } = parts()
  const renewed = renewable.renew()
  await renewable.close()
  await renewed
  assert.is(made.length, 1)
  assert.ok((made[0]?.closed ?? 0) >= 1)
})

test.run()
