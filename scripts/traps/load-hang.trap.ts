import { test } from 'uvu'
setInterval(() => {}, 1000)
await new Promise(() => {})
test.run()
