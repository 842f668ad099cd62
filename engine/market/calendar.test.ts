import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DAY_MS, dayFromCivil, formatDay, formatTime } from '../time.ts'
import { ALWAYS_OPEN, CalendarError, NYSE, type Session } from './calendar.ts'
import { weekday } from './new-york-time.ts'

const data = join(process.env.SHARED ?? '../shared', 'data')
const withData = existsSync(join(data, 'MANIFEST.csv')) ? test : test.skip

const HOUR = 3_600_000
const BEGIN = Date.UTC(1993, 0, 1, 5)
const END = Date.UTC(2031, 0, 1, 5)

const ms = (text: string): number => Date.parse(text)
const closing = (date: string): string => {
  const session = NYSE.session(date)
  return session === null ? 'closed' : formatTime(session.close)
}

/** Sessions of a year with what is special about them. */
function sessionsOf(year: number): Session[] {
  const found: Session[] = []
  for (let day = dayFromCivil(year, 1, 1); day <= dayFromCivil(year, 12, 31); day++) {
    const session = NYSE.session(formatDay(day))
    if (session !== null) found.push(session)
  }
  return found
}

function weekdaysClosed(year: number): string[] {
  const open = new Set(sessionsOf(year).map(({ date }) => date))
  const closed: string[] = []
  for (let day = dayFromCivil(year, 1, 1); day <= dayFromCivil(year, 12, 31); day++) {
    const which = weekday(day)
    if (which !== 0 && which !== 6 && !open.has(formatDay(day)))
      closed.push(formatDay(day).slice(5))
  }
  return closed
}

function refused(run: () => unknown): CalendarError {
  try {
    run()
  } catch (error) {
    assert.instance(error, CalendarError)
    return error as CalendarError
  }
  return assert.unreachable('it was answered') as never
}

test('a winter and a summer session', () => {
  assert.equal(NYSE.session('2024-01-31'), {
    date: '2024-01-31',
    preOpen: ms('2024-01-31T04:00:00-05:00'),
    open: ms('2024-01-31T09:30:00-05:00'),
    close: ms('2024-01-31T16:00:00-05:00'),
    postClose: ms('2024-01-31T20:00:00-05:00'),
    early: false,
  })
  assert.is(NYSE.session('2024-07-31')?.open, ms('2024-07-31T09:30:00-04:00'))
})

test('holidays as the exchange published them', () => {
  // Lists of the exchange for these years, one-off closures included.
  const lists: Record<number, string> = {
    1993: '01-01 02-15 04-09 05-31 07-05 09-06 11-25 12-24',
    1994: '02-21 04-01 04-27 05-30 07-04 09-05 11-24 12-26',
    1998: '01-01 01-19 02-16 04-10 05-25 07-03 09-07 11-26 12-25',
    1999: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24',
    2001: '01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25',
    2004: '01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24',
    2007: '01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25',
    2011: '01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26',
    2012: '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25',
    2018: '01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25',
    2021: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24',
    2022: '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26',
    2025: '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25',
    2026: '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25',
    2027: '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24',
    2028: '01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25',
  }
  for (const [year, list] of Object.entries(lists)) {
    assert.is(weekdaysClosed(Number(year)).join(' '), list, year)
  }
})

test('early closes as they were', () => {
  const lists: Record<number, string> = {
    1993: '11-26',
    1994: '02-11 11-25',
    1995: '07-03 11-24',
    1996: '01-08 07-05 11-29 12-24',
    1997: '07-03 10-27 11-28 12-24 12-26',
    1999: '11-26',
    2002: '07-05 11-29 12-24',
    2003: '07-03 11-28 12-24 12-26',
    2005: '06-01 11-25',
    2008: '07-03 11-28 12-24',
    2009: '11-27 12-24',
    2013: '07-03 11-29 12-24',
    2014: '07-03 11-28 12-24',
    2019: '07-03 11-29 12-24',
    2020: '11-27 12-24',
    2021: '11-26',
    2023: '07-03 11-24',
    2024: '07-03 11-29 12-24',
    2025: '07-03 11-28 12-24',
    2026: '11-27 12-24',
    2027: '11-26',
    2028: '07-03 11-24',
  }
  for (const [year, list] of Object.entries(lists)) {
    const early = sessionsOf(Number(year)).filter((session) => session.early)
    assert.is(early.map(({ date }) => date.slice(5)).join(' '), list, year)
  }
  assert.is(closing('2024-07-03'), '2024-07-03T17:00:00Z')
  assert.is(NYSE.session('2024-07-03')?.postClose, ms('2024-07-03T17:00:00-04:00'))
  assert.is(closing('1994-02-11'), '1994-02-11T19:30:00Z')
  assert.is(closing('1996-01-08'), '1996-01-08T19:00:00Z')
  assert.is(NYSE.session('1996-01-08')?.open, ms('1996-01-08T11:00:00-05:00'))
  assert.is(NYSE.session('2002-09-11')?.open, ms('2002-09-11T12:00:00-04:00'))
  assert.not(NYSE.session('2002-09-11')?.early)
})

withData('needs shared data: every weekday of daily bars is a session, every other is none', () => {
  // SPX reaches furthest; INTC and SPY bring the nineties.
  for (const name of ['SPX', 'SPY', 'IBM', 'INTC', 'COMP', 'MSFT', 'AAPL', 'SQQQ', 'GOOG']) {
    const dates = readFileSync(join(data, `daily/${name}.csv`), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.slice(0, 10))
    const traded = new Set(dates)
    const last = ms(dates.at(-1)!) / DAY_MS
    for (let day = ms(dates[0]!) / DAY_MS; day <= last; day++) {
      const date = formatDay(day)
      assert.is(NYSE.session(date) !== null, traded.has(date), `${name} ${date}`)
    }
  }
})

withData('needs shared data: minutes lie in core sessions, early closes end them', () => {
  for (const name of ['SPY_1min_2019-12-13_2020-01-16', 'DIA_1min_2019-12-16_2020-01-17']) {
    const times = readFileSync(join(data, `intraday/${name}.csv`), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => ms(line.slice(0, 25)))
    const byDate = new Map<string, number[]>()
    for (const time of times) {
      const session = NYSE.sessionAt(time)
      assert.ok(session, formatTime(time))
      assert.is(NYSE.phase(time) === 'core', time < session.close, formatTime(time))
      byDate.set(session.date, [...(byDate.get(session.date) ?? []), time])
    }
    assert.is(byDate.size, 23)
    const eve = byDate.get('2019-12-24')!
    assert.is(eve[0], NYSE.session('2019-12-24')?.open)
    assert.ok(eve.at(-1)! <= ms('2019-12-24T13:00:00-05:00'))
    assert.ok(eve.at(-1)! >= ms('2019-12-24T12:58:00-05:00'))
  }
})

test('phases of a day', () => {
  const at = (time: string) => NYSE.phase(ms(`2024-07-03T${time}-04:00`))
  assert.equal(['03:59:59.999', '04:00:00', '09:29:59.999', '09:30:00', '12:59:59.999'].map(at), [
    'closed',
    'pre',
    'pre',
    'core',
    'core',
  ])
  assert.equal(['13:00:00', '16:59:59.999', '17:00:00', '23:59:59.999'].map(at), [
    'post',
    'post',
    'closed',
    'closed',
  ])
  assert.is(NYSE.phase(ms('2024-07-04T12:00:00-04:00')), 'closed')
  assert.is(NYSE.sessionAt(ms('2024-07-04T12:00:00-04:00')), null)
  assert.is(NYSE.sessionAt(ms('2024-07-03T03:59:00-04:00')), null)
  assert.is(NYSE.sessionAt(ms('2024-07-03T16:00:00-04:00'))?.date, '2024-07-03')
  assert.is(NYSE.sessionAt(ms('2024-07-03T17:00:00-04:00')), null)
})

const moment = fc.integer({ min: BEGIN, max: END - 1 })

test('the phase of a moment agrees with its session, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1, maxLength: 20 }), (moments) => {
      for (const at of moments) {
        const session = NYSE.sessionAt(at)
        const phase = NYSE.phase(at)
        assert.is(phase === 'closed', session === null)
        if (session === null) continue
        const expected = at < session.open ? 'pre' : at < session.close ? 'core' : 'post'
        assert.is(phase, expected)
        assert.equal(NYSE.session(session.date), session)
      }
    }),
    { numRuns: 500 },
  )
})

test('each session is whole, opens at its New York hours and lies behind the one before', () => {
  const clock = new Intl.DateTimeFormat('en-CA', {
    timeZone: 'America/New_York',
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  })
  let before = BEGIN
  let count = 0
  for (let year = 1993; year <= 2030; year++) {
    for (const session of sessionsOf(year)) {
      const { preOpen, open, close, postClose, date } = session
      assert.ok(before <= preOpen && preOpen < open && open < close && close < postClose, date)
      assert.is(clock.format(preOpen), `${date}, 04:00`)
      const opens = { '1995-12-18': '10:30', '1996-01-08': '11:00', '2002-09-11': '12:00' }[date]
      assert.is(clock.format(open), `${date}, ${opens ?? '09:30'}`)
      if (!session.early) assert.is(clock.format(close), `${date}, 16:00`)
      if (!session.early) assert.is(clock.format(postClose), `${date}, 20:00`)
      assert.is(NYSE.next(open - 1), session)
      if (date !== '2030-12-31') assert.ok(NYSE.next(open).open > open, date)
      before = postClose
      count++
    }
  }
  // About 252 a year.
  assert.ok(count > 38 * 250 && count < 38 * 253, String(count))
})

test('next lies strictly later and skips nothing', () => {
  const last = NYSE.session('2030-12-31')!.open
  fc.assert(
    fc.property(fc.integer({ min: BEGIN, max: last - 1 }), (at) => {
      const next = NYSE.next(at)
      assert.ok(next.open > at)
      // Whatever opens on a day between would have been next.
      for (let day = Math.floor(at / DAY_MS) - 1; day * DAY_MS < next.open - DAY_MS; day++) {
        const other = day * DAY_MS < BEGIN ? null : NYSE.session(formatDay(day))
        assert.ok(other === null || other.open <= at || other.open === next.open)
      }
    }),
    { numRuns: 500 },
  )
})

test('years outside the calendar are refused by name', () => {
  for (const run of [
    () => NYSE.phase(BEGIN - 1),
    () => NYSE.phase(END),
    () => NYSE.phase(Number.NaN),
    () => NYSE.phase(Number.POSITIVE_INFINITY),
    () => NYSE.sessionAt(0),
    () => NYSE.session('1992-12-31'),
    () => NYSE.session('2031-01-01'),
    () => NYSE.next(BEGIN - 1),
    () => NYSE.next(NYSE.session('2030-12-31')!.open),
    () => ALWAYS_OPEN.phase(Number.NaN),
    () => ALWAYS_OPEN.sessionAt(Number.POSITIVE_INFINITY),
    () => ALWAYS_OPEN.next(Number.NaN),
  ]) {
    const error = refused(run)
    assert.is(error.code, 'outside_calendar')
    assert.match(error.message, 'the exchange calendar knows 1993 to 2030')
  }
  assert.is(NYSE.phase(BEGIN), 'closed')
  assert.is(NYSE.phase(END - 1), 'closed')
})

test('what is no date is refused as such', () => {
  for (const text of ['', '2024-02-30', '2024-1-1', '2024-01-01T00:00:00Z']) {
    assert.is(refused(() => NYSE.session(text)).code, 'invalid_date')
    assert.is(refused(() => ALWAYS_OPEN.session(text)).code, 'invalid_date')
  }
})

test('a market that never closes trades by the UTC day', () => {
  const day = ms('2024-02-29T00:00:00Z')
  const session = {
    date: '2024-02-29',
    preOpen: day,
    open: day,
    close: day + DAY_MS,
    postClose: day + DAY_MS,
    early: false,
  }
  assert.equal(ALWAYS_OPEN.session('2024-02-29'), session)
  assert.equal(ALWAYS_OPEN.sessionAt(day + 23 * HOUR), session)
  assert.is(ALWAYS_OPEN.phase(day), 'core')
  assert.is(ALWAYS_OPEN.next(day - 1).date, '2024-02-29')
  assert.is(ALWAYS_OPEN.next(day).date, '2024-03-01')
})

test('a session given out cannot be changed by who got it', () => {
  assert.throws(() => {
    NYSE.session('2024-01-31')!.close = 0
  }, /read only/)
})

test.run()
