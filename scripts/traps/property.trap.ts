import fc from 'fast-check'
import { test } from 'uvu'
test('a property that is too slow to prove anything', async () => {
  const slow = fc.asyncProperty(fc.nat(), async () => {
    await new Promise((done) => setTimeout(done, 50))
  })
  await fc.assert(slow, { numRuns: 100_000 })
})
test.run()
