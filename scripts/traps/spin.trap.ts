import { test } from 'uvu'
test('never gives the processor back', () => {
  for (;;);
})
test.run()
