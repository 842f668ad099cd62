import { test } from 'uvu'
test('leaves with success', () => {
  process.exit(0)
})
test('never reached', () => {
  throw new Error('x')
})
test.run()
