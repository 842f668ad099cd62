import { test } from 'uvu'
test.only('one', () => {})
test('two fails', () => {
  throw new Error('x')
})
test.run()
