import { test } from 'uvu'
setInterval(() => {}, 1000)
test('awaits for ever with a live handle', async () => {
  await new Promise(() => {})
})
test.run()
