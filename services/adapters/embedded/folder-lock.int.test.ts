import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bookProcess, inFolder } from './book-process.ts'
import { FolderInUse, lockFolder } from './folder-lock.ts'

const HOLD = `
  try {
    const lock = lockFolder(args[0])
    say('held ' + lock.holder.since)
    process.stdin.once('data', () => { lock.release(); say('released') })
  } catch (error) {
    say('refused ' + error.code + ' ' + error.holder?.pid)
    process.exit(4)
  }`

function refusal(folder: string): FolderInUse {
  try {
    lockFolder(folder).release()
  } catch (error) {
    if (error instanceof FolderInUse) return error
    throw error
  }
  throw new Error('the folder was free')
}

test('a second process is refused, and told by whom and since when', () =>
  inFolder(async (folder) => {
    const holder = bookProcess(HOLD, [folder])
    try {
      const since = (await holder.line('held')).slice('held '.length)
      const error = refusal(folder)
      assert.is(error.code, 'folder_in_use')
      assert.equal(error.holder, { pid: holder.child.pid, since })
      assert.match(error.message, folder)
      assert.match(error.message, String(holder.child.pid))
      assert.match(error.message, since)
      const second = bookProcess(HOLD, [folder])
      assert.is(await second.ended, 4)
      assert.equal(second.lines, [`refused folder_in_use ${holder.child.pid}`])
    } finally {
      await holder.kill()
    }
  }))

test('SIGKILL frees the folder at once, whatever it left behind', () =>
  inFolder(async (folder) => {
    for (let round = 0; round < 3; round++) {
      const holder = bookProcess(HOLD, [folder])
      await holder.line('held')
      await holder.kill()
      assert.ok(existsSync(join(folder, 'engine.lock.json')), 'its name is still there')
      const lock = lockFolder(folder)
      assert.is(JSON.parse(readFileSync(join(folder, 'engine.lock.json'), 'utf8')).pid, process.pid)
      lock.release()
    }
  }))

test('a stopped process (SIGSTOP) still holds its folder', () =>
  inFolder(async (folder) => {
    const holder = bookProcess(HOLD, [folder])
    try {
      await holder.line('held')
      holder.child.kill('SIGSTOP')
      assert.is(refusal(folder).holder?.pid, holder.child.pid)
    } finally {
      await holder.kill()
    }
  }))

test('release frees the folder for others and can be repeated', () =>
  inFolder(async (folder) => {
    const holder = bookProcess(HOLD, [join(folder, 'made', 'on', 'the', 'way')])
    try {
      await holder.line('held')
      holder.child.stdin?.end('go\n')
      await holder.line('released')
      const lock = lockFolder(join(folder, 'made', 'on', 'the', 'way'))
      lock.release()
      lock.release()
      assert.not(existsSync(join(folder, 'made', 'on', 'the', 'way', 'engine.lock.json')))
    } finally {
      await holder.kill()
    }
  }))

test('the same process is refused too, and folders are apart', () =>
  inFolder(async (folder) => {
    const lock = lockFolder(join(folder, 'a'))
    const other = lockFolder(join(folder, 'b'))
    assert.is(refusal(join(folder, 'a')).holder?.pid, process.pid)
    assert.is(refusal(join(folder, 'a')).holder?.since, lock.holder.since)
    lock.release()
    lockFolder(join(folder, 'a')).release()
    other.release()
  }))

test('of processes starting at once exactly one gets the folder', () =>
  inFolder(async (folder) => {
    const rivals = Array.from({ length: 4 }, () => bookProcess(HOLD, [folder]))
    try {
      const answers = await Promise.all(
        rivals.map((rival) => Promise.race([rival.line('held'), rival.line('refused')].map(quiet))),
      )
      assert.is(answers.filter((answer) => answer.startsWith('held')).length, 1)
      assert.is(answers.filter((answer) => answer.startsWith('refused folder_in_use')).length, 3)
    } finally {
      await Promise.all(rivals.map((rival) => rival.kill()))
    }
  }))

// The line that loses the race rejects when its process ends; nobody waits for it any more.
function quiet(line: Promise<string>): Promise<string> {
  line.catch(() => undefined)
  return line
}

test('a garbled holder file costs the name, not the refusal', () =>
  inFolder(async (folder) => {
    const lock = lockFolder(folder)
    writeFileSync(join(folder, 'engine.lock.json'), '{"pid":')
    assert.is(refusal(folder).holder, null)
    assert.match(refusal(folder).message, 'another engine')
    writeFileSync(join(folder, 'engine.lock.json'), '{"pid":"7"}')
    assert.is(refusal(folder).holder, null)
    lock.release()
  }))

test('a folder that cannot be made is told, and a lock or holder file that cannot be written', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '')
    const code = (path: string): unknown => {
      try {
        lockFolder(path).release()
      } catch (error) {
        return (error as { code?: unknown }).code
      }
      return null
    }
    assert.is(code(join(folder, 'file', 'below')), 'folder_not_made')
    mkdirSync(join(folder, 'a', 'engine.lock.json', 'x'), { recursive: true })
    assert.is(code(join(folder, 'a')), 'book_unavailable')
    mkdirSync(join(folder, 'b'))
    writeFileSync(join(folder, 'b', 'engine.lock'), 'not a database '.repeat(1000))
    assert.is(code(join(folder, 'b')), 'book_unavailable')
  }))

test.run()
