import { createHash } from 'node:crypto'
import { decodeBody } from '../../engine/events/envelope.ts'
import type { Outcome } from '../../engine/replay/ledger.ts'
import { type DecisionSide, WhatIf, type WhatIfResult } from '../../engine/replay/what-if.ts'
import { formatTime } from '../../engine/time.ts'
import type { ChainSettings, RiskLimits } from '../../schemas/types.gen.ts'
import { type BookLocation, openStore } from '../adapters/open-store.ts'
import { codeHash } from '../runtime/code-hash.ts'
import { bookStream } from '../runtime/folder.ts'
import { bookLocation, shownLocation } from './book-location.ts'
import { CliError, UsageError } from './exit-codes.ts'
import { outputWidth, Progress, print, printJson, styled, table, wrap } from './output.ts'
import { riskLimits, strategySettings } from './settings.ts'
import type { WhatIfCommandOptions } from './whatif.ts'

type Change = (settings: ChainSettings) => ChainSettings
/** Differences listed for people; --json has more. */
const LISTED = 20

export async function runWhatIfCommand(options: WhatIfCommandOptions): Promise<void> {
  const { from, to } = options
  if (from !== undefined && to !== undefined && from > to) {
    throw new UsageError(`--from ${from} is after --to ${to}`)
  }
  const limits = options.risk === undefined ? undefined : await riskLimits(options.risk)
  const result = await askWhatIf(bookLocation(options.dir), changeOf(options, limits), options)
  if (options.json) printJson(result)
  else print(whatIfText(result))
}

/**
 * Reads a book, which an engine may be writing to, and decides it again. Throws NoBook, CorruptBook, no_book,
 * altered_event, InvalidParams, UsageError.
 */
export async function askWhatIf(
  location: BookLocation,
  change: Change,
  range: { from?: number; to?: number } = {},
): Promise<WhatIfResult> {
  const store = await openStore(location, { readonly: true })
  const progress = new Progress('deciding again')
  try {
    const stream = bookStream()
    const head = await store.head(stream)
    if (head < 0) {
      throw new CliError(
        'no_book',
        `the book in ${shownLocation(location)} has no entry yet: there is nothing to decide again`,
      )
    }
    if (range.from !== undefined && range.from > head) {
      throw new UsageError(`--from ${range.from} is behind the end of the book, ${head}`)
    }
    const run = new WhatIf({
      change,
      codeHash: codeHash(),
      runningHash: () => createHash('sha256'),
      ...(range.from !== undefined && { from: range.from }),
      ...(range.to !== undefined && { to: range.to }),
    })
    for await (const page of store.read(stream, 0, head)) {
      for (const stored of page) run.feed(decodeBody(stored))
      progress.update(page[page.length - 1]!.position, head)
    }
    return run.finish()
  } finally {
    progress.finish()
    await store.close()
  }
}

/** What the options make of the settings that a start has recorded. `limits` undefined: as recorded. */
export function changeOf(
  { strategy, set }: Pick<WhatIfCommandOptions, 'strategy' | 'set'>,
  limits?: RiskLimits | null,
): Change {
  return (recorded) => ({
    ...recorded,
    ...(limits !== undefined && { risk: limits }),
    strategies: strategiesOf(recorded.strategies, strategy, set),
  })
}

function strategiesOf(
  running: ChainSettings['strategies'],
  name: string | undefined,
  set: Record<string, string> | undefined,
): ChainSettings['strategies'] {
  if (name === undefined && set === undefined) return running
  if (name === undefined && running.length !== 1) {
    throw new UsageError(
      `--set needs --strategy here: the book was run with ${running.length} strategies`,
    )
  }
  const wanted = name ?? running[0]!.name
  const named = running.filter((one) => one.name === wanted)
  if (named.length === 0) return [strategySettings(wanted, set)]
  if (named.length > 1) {
    throw new UsageError(`the book was run with ${named.length} strategies ${wanted}`)
  }
  return running.map((one) =>
    one.name === wanted ? strategySettings(wanted, { ...one.params, ...set }) : one,
  )
}

/** A result for people: what would have come out, and where it begins to differ. */
export function whatIfText(result: WhatIfResult, width: number = outputWidth()): string {
  const { divergence, simulated, decisions, recorded, now } = result
  const { same, changed, onlyRecorded, onlyNow } = decisions
  const others = changed + onlyRecorded + onlyNow
  const rows: [string, string][] = [
    ['What if', changesText(result)],
    [
      'Decisions',
      divergence === null
        ? `all ${same} the same`
        : `${same} the same, ${changed} changed, ${onlyRecorded} only recorded, ${onlyNow} only now`,
    ],
  ]
  if (divergence !== null) {
    rows.push(
      ['First other', `position ${divergence.position}, ${formatTime(divergence.at)}`],
      ...sideRows('Recorded', divergence.recorded),
      ...sideRows('Now', divergence.now),
    )
  }
  if (simulated !== null) {
    rows.push([
      'Simulated',
      `from position ${simulated.from}: ${simulated.fills} fills; ${simulated.leftOut} recorded reports and timers left out`,
    ])
  }
  rows.push(...outcomeRows(recorded, now))
  if (result.otherCode) {
    rows.push(['Note', 'parts were recorded by other code, which may be why something differs'])
  }
  rows.push(['Digest', `recorded ${result.digest.recorded}`], ['', `now ${result.digest.now}`])
  const lines = [table(rows, width)]
  const listed = result.differences.slice(0, LISTED)
  for (const { kind, type, at, simulated: sim, recorded: was, now: is } of listed) {
    const sides = [
      was === null ? '' : `recorded ${shown(was.data)}`,
      is === null ? '' : `now ${shown(is.data)}`,
    ].filter((text) => text !== '')
    const place = was === null || was.position === null ? '' : ` [${was.position}]`
    const head = `${formatTime(at)} ${kind.replace('_', ' ')} ${type}${place}${sim ? ', simulated' : ''}`
    lines.push(...wrap(styled(head, 'bold'), width))
    for (const text of sides) lines.push(...wrap(text, width - 2).map((line) => `  ${line}`))
  }
  if (others > listed.length) {
    lines.push(...wrap(`… ${listed.length} of ${others} differences; --json lists more`, width))
  }
  return lines.join('\n')
}

function sideRows(label: string, side: DecisionSide | null): [string, string][] {
  if (side === null) return [[label, 'nothing']]
  const rows: [string, string][] = [[label, `${side.type} ${JSON.stringify(side.data)}`]]
  for (const { type, position, at, data } of side.causes) {
    const place = position === null ? '' : `${position} `
    rows.push(['because', `${place}${type} at ${formatTime(at)} ${JSON.stringify(data)}`])
  }
  return rows
}

/** The settings that differ, as "sma_cross fast 10 → 5". */
function changesText({ settings }: WhatIfResult): string {
  const { recorded, now } = settings
  if (recorded === null || now === null) return 'the book has not been started'
  const changes: string[] = []
  const note = (prefix: string, was: object, is: object): void => {
    const a = was as Record<string, unknown>
    const b = is as Record<string, unknown>
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (a[name] === b[name]) continue
      changes.push(`${prefix}${name} ${text(a[name] ?? 'none')} → ${text(b[name] ?? 'none')}`)
    }
  }
  const names = (all: ChainSettings['strategies']) =>
    all.map(({ name }) => name).join(', ') || 'none'
  if (names(recorded.strategies) === names(now.strategies)) {
    for (const [index, { name, params }] of recorded.strategies.entries()) {
      note(`${name} `, params, now.strategies[index]!.params)
    }
  } else changes.push(`strategies ${names(recorded.strategies)} → ${names(now.strategies)}`)
  note('', recorded.risk ?? {}, now.risk ?? {})
  return changes.length === 0 ? 'nothing is changed' : changes.join(', ')
}

function outcomeRows(recorded: Outcome, now: Outcome): [string, string][] {
  const percent = (value: number | null) =>
    value === null ? 'undefined' : `${(value * 100).toFixed(2)} %`
  const orders = ({ orders, fills, denied }: Outcome) =>
    `${orders.submitted} orders, ${fills} fills, ${orders.working} working, ${denied} signals denied`
  const pair = (was: string, is: string) => (was === is ? `${was}, as recorded` : `${was} → ${is}`)
  return [
    ['Equity', pair(recorded.equity, now.equity)],
    ['Realized', pair(recorded.realizedPnl, now.realizedPnl)],
    ['Fees', pair(recorded.fees, now.fees)],
    ['Drawdown', pair(percent(recorded.maxDrawdown), percent(now.maxDrawdown))],
    ['Orders', pair(orders(recorded), orders(now))],
  ]
}

const WORDS = ['side', 'verdict', 'code', 'observed', 'qty', 'symbol', 'type', 'limitPrice', 'to']

/** What matters of a decision, in a line. */
function shown(data: unknown): string {
  const fields = data as Record<string, unknown>
  const parts = WORDS.flatMap((name) => {
    const value = fields[name]
    if (value === undefined || value === null || typeof value === 'object') return []
    if (name === 'code' && value === fields.verdict) return []
    if (name === 'observed' && typeof fields.limit === 'string') {
      return [`${text(value)} of ${text(fields.limit)}`]
    }
    return [text(value)]
  })
  const who = fields.source ?? fields.strategy ?? fields.actor
  const order = fields.orderId === undefined ? [] : [`order ${text(fields.orderId)}`]
  return [...(who === undefined ? [] : [text(who)]), ...order, ...parts].join(' ')
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
