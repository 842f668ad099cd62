import { spawn } from 'node:child_process'
import { test } from 'uvu'
test('leaves a process running', () => {
  spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' }).unref()
})
test.run()
