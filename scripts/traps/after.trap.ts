import { test } from 'uvu'
test.after(() => {
  throw new Error('the cleanup failed')
})
test('passes', () => {})
test.run()
