import { test } from 'uvu'
test.skip('flaky today', () => {})
test('passes', () => {})
test.run()
