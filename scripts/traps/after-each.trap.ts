import { test } from 'uvu'
test.after.each(() => {
  throw new Error('sky')
})
test('fails', () => {
  throw new Error('Oops')
})
test.run()
