import { test } from 'uvu'
test.before(() => {
  throw new Error('db down')
})
test('never runs', () => {})
test.run()
