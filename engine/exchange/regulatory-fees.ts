import { add, type Decimal, min, mul, parse, sub } from '../decimal.ts'
import { dayNumber, parseTime } from '../time.ts'

/**
 * What a sale of US equities pays beside the commission, by the date of the trade: the fee of section 31 of the
 * Securities Exchange Act (SEC), a fraction of the value, and FINRA's Trading Activity Fee (TAF), an amount per share
 * with a maximum per trade. Purchases pay neither. Other fees that brokers pass on (CAT, exchange fees) are left out.
 *
 * Rates of SEC, per million dollars, from SEC fee rate advisories and FINRA information notices. Read in such notices:
 * 22.40 (in force November 2012), 2014-03-18, 21.80 (in force February 2016), 2018-05-22, 2020-02-18, 2021-02-25,
 * 2025-05-14; 2017-07-04 and 2026-04-04 in reports of them. From general knowledge, not checked against a notice: the
 * dates of 2012-04-01, 2013-05-25, 2015-02-14, 2016-02-16, 2019-04-16, 2022-05-14, 2023-02-27 and 2024-05-22.
 *
 * TAF from FINRA regulatory notices 11-27 and 12-06 and its filings SR-FINRA-2020-032 and 2024-019. Not checked against
 * a notice: 2012-07-01 and the caps of 2022 to 2024. The table was last looked at in November 2026: later sales pay its
 * last rates, sales before its first row the rates of that row.
 */
interface Rate {
  /** First day number on which it holds. */
  from: number
  rate: Decimal
  /** Most per trade; zero: no maximum. */
  most: Decimal
}

function table(rows: readonly (readonly [date: string, rate: string, most?: string])[]): Rate[] {
  return rows.map(([date, rate, most = '0']) => ({
    from: dayNumber(parseTime(date)),
    rate: parse(rate),
    most: parse(most),
  }))
}

/** Fraction of the value sold. */
const SECTION_31 = table([
  ['2012-04-01', '0.0000224'],
  ['2013-05-25', '0.0000174'],
  ['2014-03-18', '0.0000221'],
  ['2015-02-14', '0.0000184'],
  ['2016-02-16', '0.0000218'],
  ['2017-07-04', '0.0000231'],
  ['2018-05-22', '0.000013'],
  ['2019-04-16', '0.0000207'],
  ['2020-02-18', '0.0000221'],
  ['2021-02-25', '0.0000051'],
  ['2022-05-14', '0.0000229'],
  ['2023-02-27', '0.000008'],
  ['2024-05-22', '0.0000278'],
  ['2025-05-14', '0'],
  ['2026-04-04', '0.0000206'],
])

/** Amount per share sold. */
const ACTIVITY = table([
  ['2011-07-01', '0.00009', '4.5'],
  ['2012-03-01', '0.000095', '4.75'],
  ['2012-07-01', '0.000119', '5.95'],
  ['2022-01-01', '0.00013', '6.49'],
  ['2023-01-01', '0.000145', '7.27'],
  ['2024-01-01', '0.000166', '8.3'],
  ['2026-01-01', '0.000195', '9.79'],
])

const CENT = parse('0.01')

/**
 * Both fees of one sale on a day (a day number of time.ts, UTC), each rounded up to a whole cent as brokers charge them.
 * A fill counts as one trade: parts of an order pay their cents each.
 */
export function regulatoryFee(day: number, qty: Decimal, value: Decimal): Decimal {
  const section31 = mul(value, rateOn(SECTION_31, day).rate)
  const { rate, most } = rateOn(ACTIVITY, day)
  return add(upToCent(section31), upToCent(min(mul(qty, rate), most)))
}

function rateOn(rates: readonly Rate[], day: number): Rate {
  // Trades are recent more often than not, and the tables are short.
  for (let i = rates.length - 1; i > 0; i--) {
    if (day >= rates[i]!.from) return rates[i]!
  }
  return rates[0]!
}

function upToCent(amount: Decimal): Decimal {
  const cents = BigInt(CENT)
  const rest = BigInt(amount) % cents
  return rest === 0n ? amount : add(sub(amount, Number(rest)), CENT)
}
