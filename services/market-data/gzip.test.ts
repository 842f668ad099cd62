import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BadBarsFile, readBarFile } from './bar-file.ts'
import { loadBars } from './bar-set.ts'
import { CsvRefusal } from './csv.ts'
import { gunzip } from './gzip.ts'

const text = readFileSync(join(import.meta.dirname, 'testing/MINUTE.csv'))

let folder = ''
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'gzip-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

function file(bytes: Buffer, name = 'MINUTE.csv.gz'): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function reason(path: string): Promise<string> {
  try {
    await readBarFile(path)
  } catch (error) {
    assert.instance(error, BadBarsFile)
    return (error as BadBarsFile).faults[0]!.reason
  }
  return assert.unreachable('it was accepted') as never
}

test('a packed file holds the bars of the file, also in several members, also without its ending', async () => {
  const plain = await readBarFile(file(text, 'MINUTE.csv'))
  const cut = text.indexOf('\n', 5000) + 1
  const members = Buffer.concat([gzipSync(text.subarray(0, cut)), gzipSync(text.subarray(cut))])
  for (const path of [file(gzipSync(text)), file(members), file(gzipSync(text), 'MINUTE.csv')]) {
    const read = await readBarFile(path)
    assert.equal({ ...read, path: '' }, { ...plain, path: '' })
  }
})

test('a file that was cut off is refused wherever it ends', async () => {
  const packed = gzipSync(text)
  for (const length of [2, 10, 11, packed.length >> 1, packed.length - 9, packed.length - 1]) {
    assert.match(
      await reason(file(packed.subarray(0, length))),
      'is gzip that ends early',
      String(length),
    )
  }
})

test('a damaged file is refused whatever byte is damaged, or it reads the same', async () => {
  const packed = gzipSync(text)
  const plain = await readBarFile(file(text, 'MINUTE.csv'))
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 10, max: packed.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, bits) => {
        const damaged = Buffer.from(packed)
        damaged[at]! ^= bits
        const path = file(damaged)
        try {
          assert.equal((await readBarFile(path)).columns, plain.columns)
        } catch (error) {
          assert.instance(error, BadBarsFile)
          assert.match((error as Error).message, /damaged gzip|ends early/)
        }
      },
    ),
    { numRuns: 100 },
  )
  const wrong = Buffer.from(packed)
  wrong[wrong.length - 5]! ^= 1
  assert.match(await reason(file(wrong)), 'is damaged gzip (incorrect data check); fetch it again')
})

test('what is packed must be CSV', async () => {
  assert.match(await reason(file(gzipSync(gzipSync(text)))), 'is gzip within gzip')
  assert.match(await reason(file(gzipSync(Buffer.from('PAR1....PAR1')))), 'is Parquet within gzip')
  assert.match(await reason(file(gzipSync(Buffer.from('PK\x03\x04')))), 'zip archive')
  assert.is(await reason(file(gzipSync(Buffer.alloc(0)))), 'is empty')
})

test('more than the limit is refused before it fills the memory; a size that lies is not believed', async () => {
  const zeros = gzipSync(Buffer.alloc(1 << 20))
  const refusal = await gunzip(zeros, 1000).catch((error: unknown) => error)
  assert.instance(refusal, CsvRefusal)
  assert.match((refusal as Error).message, 'is larger than 1000 bytes unpacked; split it')
  assert.is((await gunzip(zeros)).length, 1 << 20)
  assert.is((await gunzip(zeros, 1 << 20)).length, 1 << 20)
  const lying = gzipSync(text)
  lying.writeUInt32LE(0xffff_ffff, lying.length - 4)
  const lie = await gunzip(lying).catch((error: unknown) => error)
  assert.match((lie as Error).message, 'incorrect length check')
})

test('packed and plain files lie in one folder, bad rows keep their lines', async () => {
  file(gzipSync(text), 'A.csv.gz')
  file(text, 'B.csv')
  assert.equal((await loadBars([folder])).symbols, ['A', 'B'])
  const bad = `${text.subarray(0, text.indexOf('\n', 200) + 1).toString()}2024-01-31T20:00:00Z,1,0,1,1,1\n`
  assert.match(await reason(file(gzipSync(Buffer.from(bad)))), 'is not above zero')
})

test.run()
