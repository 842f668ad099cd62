import { test } from 'uvu'
test('leaks a rejection', () => {
  void Promise.reject(new Error('leak'))
})
test.run()
