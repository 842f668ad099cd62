import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { existsSync } from 'node:fs'
import { SHARED_DATA } from '../../engine/testing/fixtures.ts'
import { BadActionsFile, readActionsCsv } from './actions-csv.ts'

const folder = mkdtempSync(join(tmpdir(), 'bitacora-actions-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0

function file(text: string): string {
  const path = join(folder, `${++files}.csv`)
  writeFileSync(path, text)
  return path
}

function refused(text: string): BadActionsFile {
  try {
    readActionsCsv(file(text), '1d')
  } catch (error) {
    assert.instance(error, BadActionsFile)
    return error as BadActionsFile
  }
  throw new Error('it was taken')
}

const DAY_2015_07_15 = Date.UTC(2015, 6, 15)

test('each kind is read, in the order of the dates', () => {
  const path = file(
    'symbol,ex_date,kind,value,new_symbol,note\n' +
      'nflx,2015-07-15,split,7.0,,x\n' +
      'AAPL,2015-05-07,dividend,0.52,,x\n' +
      'BRCM,2016-02-01,Delist,,,x\n' +
      'LNKD,2016-12-07,delist,196,,x\n' +
      'FB,2022-06-09,rename,,META,x\n',
  )
  const read = readActionsCsv(path, '1d')
  assert.equal(
    read.map(({ time: _time, ...action }) => action),
    [
      { symbol: 'AAPL', kind: 'dividend', exDate: '2015-05-07', value: '0.52' },
      { symbol: 'NFLX', kind: 'split', exDate: '2015-07-15', value: '7' },
      { symbol: 'BRCM', kind: 'delist', exDate: '2016-02-01' },
      { symbol: 'LNKD', kind: 'delist', exDate: '2016-12-07', value: '196' },
      { symbol: 'FB', kind: 'rename', exDate: '2022-06-09', newSymbol: 'META' },
    ],
  )
  assert.is(read[1]!.time, DAY_2015_07_15)
  // Between two New York sessions, when bars are shorter than a day.
  const intraday = readActionsCsv(path, '1m')
  assert.is(intraday[1]!.time, DAY_2015_07_15 + 8 * 3_600_000)
})

test('what cannot be an action is refused with line, field and reason', () => {
  const error = refused(
    'symbol,ex_date,kind,value\n' +
      ',2015-07-15,split,2\n' +
      'A B,2015-07-15,split,2\n' +
      'A,15.07.2015,split,2\n' +
      'A,2015-02-30,split,2\n' +
      'A,2015-07-15T09:30:00Z,split,2\n' +
      'A,2015-07-15,merger,2\n' +
      'A,2015-07-15,split,\n' +
      'A,2015-07-15,split,two\n' +
      'A,2015-07-15,split,-2\n' +
      'A,2015-07-15,split,20000\n' +
      'A,2015-07-15,dividend,0.0000000001\n' +
      'A,2015-07-15,rename,\n' +
      'A,2015-07-15,dividend\n' +
      'A,2015-07-16,dividend,1\n' +
      'A,2015-07-16,dividend,2\n',
  )
  assert.is(error.code, 'bad_actions_file')
  assert.equal(
    error.faults.map(({ line, field }) => [line, field]),
    [
      [2, 'symbol'],
      [3, 'symbol'],
      [4, 'ex_date'],
      [5, 'ex_date'],
      [6, 'ex_date'],
      [7, 'kind'],
      [8, 'value'],
      [9, 'value'],
      [10, 'value'],
      [11, 'value'],
      [12, 'value'],
      [13, 'new_symbol'],
      [14, 'row'],
      [16, 'row'],
    ],
  )
  assert.match(error.message, /line 16, row.*a second dividend of A on 2015-07-16; line 15 has one/)
  assert.match(error.message, /no corporate action is left out/)
})

test('a file without the columns, or without rows, is refused as a whole', () => {
  assert.match(refused('symbol,kind,value\nA,split,2\n').message, /ex_date/)
  assert.match(refused('symbol,ex_date,kind,value\n').message, /has a header but no rows/)
  assert.match(refused('').message, /\d\.csv/)
})

const path = join(SHARED_DATA, 'raw_2015_2017', 'ACTIONS.csv')
if (existsSync(path)) {
  test('the real list of 2015 to 2017 is read whole', () => {
    const read = readActionsCsv(path, '1d')
    const count = (kind: string) => read.filter((action) => action.kind === kind).length
    assert.is(count('split'), 3)
    assert.is(count('dividend'), 106)
    assert.is(read.length, 109)
  })
} else test.skip('needs shared data: raw_2015_2017/ACTIONS.csv', () => {})

test.run()
