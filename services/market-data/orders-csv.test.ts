import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BadOrdersFile, readOrdersCsv } from './orders-csv.ts'

let folder = ''
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'orders-csv-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'id,submit_date,side,type,size,price,trail_amount,valid_until'

function file(content: string): string {
  const path = join(folder, 'orders.csv')
  writeFileSync(path, content)
  return path
}

function fails(path: string): BadOrdersFile {
  try {
    readOrdersCsv(path)
  } catch (error) {
    assert.instance(error, BadOrdersFile)
    return error as BadOrdersFile
  }
  return assert.unreachable('it was accepted') as never
}

test('reads every type, in any column order and case, unsorted', () => {
  const path = file(
    [
      'SYMBOL,Type,Size,Price,Side,ID,extra,Submit_Date,Trail_Amount,Valid_Until',
      'brk.b,LIMIT,10.50,99.10,BUY,a,x,2024-01-05,,2024-01-05',
      'A,stoptrail,5,,sell,b,,2024-01-02T09:30:00-05:00,1.5,2024-01-02',
      'A,trailing_stop,5,,sell,c,,2024-01-02,1e-1,',
      'A,market,1e2,7,buy,d,,2024-01-02,,2024-01-02T15:00:00Z',
      'A,close,1,,buy,e,,2024-01-02,,',
      'A,stop,1,3,buy,f,,2024-01-02,,',
    ].join('\r\n'),
  )
  const day = Date.UTC(2024, 0, 2)
  const common = { submitTime: day, side: 'buy', symbol: 'A' }
  assert.equal(readOrdersCsv(path), [
    {
      id: 'a',
      submitTime: day + 3 * 86_400_000,
      side: 'buy',
      type: 'limit',
      qty: '10.5',
      line: 2,
      price: '99.1',
      validUntil: day + 3 * 86_400_000,
      symbol: 'BRK.B',
    },
    {
      id: 'b',
      submitTime: Date.UTC(2024, 0, 2, 14, 30),
      side: 'sell',
      type: 'trailing_stop',
      qty: '5',
      line: 3,
      trailAmount: '1.5',
      // A date means all of that day beside a submit_date with a time.
      validUntil: day + 86_400_000 - 1,
      symbol: 'A',
    },
    {
      ...common,
      side: 'sell',
      id: 'c',
      type: 'trailing_stop',
      qty: '5',
      line: 4,
      trailAmount: '0.1',
    },
    { ...common, id: 'd', type: 'market', qty: '100', line: 5, validUntil: day + 15 * 3_600_000 },
    { ...common, id: 'e', type: 'close', qty: '1', line: 6 },
    { ...common, id: 'f', type: 'stop', qty: '1', line: 7, price: '3' },
  ])
})

test('every bad row is refused with line, field and reason', () => {
  const rows: [row: string, field: string, reason: RegExp][] = [
    [',2024-01-02,buy,market,1,,,', 'id', /missing/],
    ['1,2024-01-02,buy,market,1,,,', 'id', /repeats line 2/],
    ['2,,buy,market,1,,,', 'submit_date', /missing/],
    ['3,01/02/2024,buy,market,1,,,', 'submit_date', /another date format/],
    ['4,2024-01-02T09:30:00,buy,market,1,,,', 'submit_date', /no offset/],
    ['5,2024-02-30,buy,market,1,,,', 'submit_date', /no such date/],
    ['6,2024-01-02,short,market,1,,,', 'side', /neither buy nor sell/],
    ['7,2024-01-02,buy,iceberg,1,,,', 'type', /none of market/],
    ['8,2024-01-02,buy,market,,,,', 'size', /missing/],
    ['9,2024-01-02,buy,market,all,,,', 'size', /not a number/],
    ['10,2024-01-02,buy,market,0,,,', 'size', /not above zero/],
    ['11,2024-01-02,buy,market,-5,,,', 'size', /not above zero/],
    ['12,2024-01-02,buy,market,0.1234567891,,,', 'size', /more than nine decimals/],
    ['13,2024-01-02,buy,market,1e15,,,', 'size', /larger than 1e15/],
    ['14,2024-01-02,buy,limit,1,,,', 'price', /missing; a limit order needs it/],
    ['15,2024-01-02,buy,stop,1,,,', 'price', /missing; a stop order needs it/],
    ['16,2024-01-02,buy,stop,1,0,,', 'price', /not above zero/],
    ['17,2024-01-02,buy,stoptrail,1,,,', 'trail_amount', /missing; a trailing_stop/],
    ['18,2024-01-02,buy,market,1,,,2024-01-01', 'valid_until', /before submit_date/],
    ['19,2024-01-02,buy,market,1,,,soon', 'valid_until', /another date format/],
    ['20,2024-01-02,buy,market,1', 'row', /5 fields where the header has 8/],
    ['21,2024-01-02,"buy"x,market,1,,,', 'row', /after a closing quote/],
  ]
  const path = file(
    [HEADER, '1,2024-01-02,buy,market,1,,,', ...rows.map(([row]) => row)].join('\n'),
  )
  const error = fails(path)
  assert.is(error.code, 'bad_orders_file')
  assert.is(error.rows, rows.length + 1)
  assert.is(error.faults.length, rows.length)
  for (const [index, [, field, expected]] of rows.entries()) {
    const fault = error.faults[index]!
    assert.equal([fault.file, fault.line, fault.field], [path, index + 3, field])
    assert.match(fault.reason, expected)
  }
  assert.match(error.message, '22 of 23 rows refused')
  assert.match(error.message, '… and 2 more')
  assert.match(error.message, 'no order of a list is left out')
  const symbols = fails(file(`${HEADER},symbol\n1,2024-01-02,buy,market,1,,,,A B\n`))
  assert.is(symbols.faults[0]!.reason, 'is not a symbol')
})

test('reads stop_limit orders, trails in percent and times in force', () => {
  const path = file(
    [
      'id,submit_date,side,type,size,price,limit_price,trail_percent,tif',
      'a,2024-01-02,buy,stop_limit,5,10,10.5,,DAY',
      'b,2024-01-02,sell,trailing_stop,5,,,2.50,',
      'c,2024-01-02,sell,market,5,,,,opg',
    ].join('\n'),
  )
  const common = { submitTime: Date.UTC(2024, 0, 2), qty: '5' }
  assert.equal(readOrdersCsv(path), [
    {
      ...{ ...common, id: 'a', side: 'buy', type: 'stop_limit', line: 2 },
      ...{ price: '10', limitPrice: '10.5', timeInForce: 'day' },
    },
    { ...common, id: 'b', side: 'sell', type: 'trailing_stop', line: 3, trailPercent: '2.5' },
    { ...common, id: 'c', side: 'sell', type: 'market', line: 4, timeInForce: 'opg' },
  ])
  const bad = fails(
    file(
      [
        'id,submit_date,side,type,size,price,limit_price,trail_amount,trail_percent,time_in_force',
        '1,2024-01-02,buy,stop_limit,5,10,,,,',
        '2,2024-01-02,buy,stop_limit,5,,10,,,',
        '3,2024-01-02,sell,trailing_stop,5,,,1,1,',
        '4,2024-01-02,sell,trailing_stop,5,,,,100,',
        '5,2024-01-02,sell,market,5,,,,,forever',
      ].join('\n'),
    ),
  )
  assert.equal(
    bad.faults.map(({ field, reason }) => `${field} ${reason}`),
    [
      'limit_price is missing; a stop_limit order needs it',
      'price is missing; a stop_limit order needs it',
      'trail_percent stands beside a trail_amount: give one of them',
      'trail_percent is not below 100',
      'time_in_force is none of day, gtc, ioc, fok, opg, cls',
    ],
  )
})

test('whole files that cannot be read say why', () => {
  const reasonOf = (path: string): string => {
    const error = fails(path)
    assert.is(error.faults.length, 1)
    return error.faults[0]!.reason
  }
  assert.is(reasonOf(join(folder, 'none.csv')), 'no such file')
  assert.is(reasonOf(file('')), 'is empty')
  assert.is(reasonOf(file(`${HEADER}\n`)), 'has a header but no rows')
  assert.is(reasonOf(file('id,side,type\n')), 'no column for submit_date, size')
  assert.match(reasonOf(file(`${HEADER},id\n`)), /could each be id/)
})

const reference = join(
  process.env.SHARED ?? '../shared',
  'data/reference/backtrader/ibm_random_orders.orders.csv',
)
const withData = existsSync(reference) ? test : test.skip

withData('needs shared data: the reference orders', () => {
  const orders = readOrdersCsv(reference)
  assert.is(orders.length, 200)
  const counts: Record<string, number> = {}
  for (const { type } of orders) counts[type] = (counts[type] ?? 0) + 1
  assert.equal(counts, { stop: 64, close: 39, limit: 47, market: 19, trailing_stop: 31 })
  assert.equal(orders[0], {
    id: '1',
    submitTime: Date.UTC(2000, 3, 18),
    side: 'sell',
    type: 'stop',
    qty: '330',
    line: 2,
    price: '107.04',
    validUntil: Date.UTC(2000, 3, 19),
  })
})

test.run()
