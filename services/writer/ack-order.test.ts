import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InboundMessage } from '../../engine/ports/bus.ts'
import { AckOrder } from './ack-order.ts'

const message = (sequence: number) => ({ sequence }) as InboundMessage

test('in whatever order messages are done, only a prefix of the stream is ever acknowledged', () => {
  const order = fc.integer({ min: 1, max: 40 }).chain((count) =>
    fc.shuffledSubarray(
      Array.from({ length: count }, (_, i) => i),
      { minLength: count },
    ),
  )
  fc.assert(
    fc.property(order, (shuffled) => {
      const acked: number[] = []
      const acks = new AckOrder({ ack: ({ sequence }) => acked.push(sequence) })
      const done = shuffled.map(() => false)
      const settle = shuffled.map((_, i) => acks.take(message(i)))
      for (const index of shuffled) {
        settle[index]!()
        done[index] = true
        const prefix = done.indexOf(false) < 0 ? done.length : done.indexOf(false)
        assert.is(acked[acked.length - 1] ?? -1, prefix - 1)
      }
      assert.equal(
        acked,
        [...acked].sort((a, b) => a - b),
      )
      assert.is(acked[acked.length - 1], shuffled.length - 1)
    }),
  )
})

test.run()
