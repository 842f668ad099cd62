import { test } from 'uvu'
throw new Error('broken at the top')
test.run()
