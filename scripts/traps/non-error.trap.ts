import { test } from 'uvu'
test('throws a string', () => {
  throw 'boom'
})
test('later one', () => {})
test.run()
