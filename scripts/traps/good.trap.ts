import { test } from 'uvu'
test('passes', () => {})
test('passes too, with a handle left', () => {
  setInterval(() => {}, 1000)
})
test.skip('needs a machine that is not here', () => {})
test.run()
