import { test } from 'uvu'
test('awaits for ever', async () => {
  await new Promise(() => {})
})
test.run()
