import { test } from 'uvu'
test('throws in a timer', async () => {
  setTimeout(() => {
    throw new Error('late')
  }, 1)
  await new Promise((done) => setTimeout(done, 20))
})
test.run()
