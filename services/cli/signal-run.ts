import { randomUUID } from 'node:crypto'
import type { ManualSignal } from '../../schemas/types.gen.ts'
import { errorsText, validateBody } from '../../schemas/validate.ts'
import { connectNats } from '../adapters/nats/connection.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import { commandEnv } from '../runtime/command-env.ts'
import { readKeysFile, signatureHeaders } from '../runtime/webhook-signature.ts'
import { findEngine } from './engine-link.ts'
import { CliError, EXIT, UsageError } from './exit-codes.ts'
import { defaultOperator } from './operator.ts'
import { print, printJson, warn } from './output.ts'
import type { SignalOptions } from './signal.ts'
import { tracedCommand } from './trace-sends.ts'
import { noVerdict, VerdictListener, verdictText } from './verdicts.ts'

export async function runSignalCommand(
  side: ManualSignal['side'],
  symbol: string,
  options: SignalOptions,
): Promise<void> {
  const payload = JSON.stringify(signalBody(side, symbol, options))
  const operator = options.operator ?? defaultOperator()
  const id = options.id ?? randomUUID()
  const subject = `signals.manual.${operator}`
  const headers = signed(operator, id, subject, payload)
  const engine = findEngine(options.dir)
  const nc = await connectNats(engine.natsUrl, 'cli')
  const traced = tracedCommand(new NatsBus(nc))
  try {
    const listener = new VerdictListener(nc, operator, id)
    await listener.ready()
    const stored = await traced.bus.publish(subject, payload, { id, headers })
    if (options.wait === false) {
      if (options.json) printJson({ signalId: id, ...stored })
      else print(`stored: signal ${id} (${stored.stream} ${stored.sequence})`)
      return
    }
    const repeated = options.id !== undefined
    const verdict = await listener.wait(options.wait, repeated)
    if (verdict === null) throw noVerdict(id, options.wait, stored)
    if (verdict.verdict === 'denied') process.exitCode = EXIT.refused
    if (options.json) printJson(verdict)
    else print(verdictText(verdict))
  } finally {
    await nc.close()
    await traced.end()
  }
}

/** The message, checked here so that what cannot be right is not sent. Throws UsageError, invalid_signal. */
export function signalBody(
  side: ManualSignal['side'],
  symbol: string,
  options: SignalOptions,
): ManualSignal {
  const { qty, notional, limit, stop } = options
  const problems: string[] = []
  if (qty !== undefined && notional !== undefined)
    problems.push('give --qty or --notional, not both')
  if (side === 'close' && notional !== undefined) {
    problems.push('--notional does not go with close: give --qty, or neither to close all of it')
  }
  if (side !== 'close' && qty === undefined && notional === undefined) {
    problems.push(`say how much to ${side}: --qty N or --notional N`)
  }
  if (limit !== undefined && stop !== undefined) problems.push('give --limit or --stop, not both')
  const { takeProfit, stopLoss, trailPercent } = options
  if (stopLoss !== undefined && trailPercent !== undefined) {
    problems.push('give --stop-loss or --trail-percent, not both')
  }
  if (side === 'close' && (takeProfit ?? stopLoss ?? trailPercent) !== undefined) {
    problems.push('--take-profit, --stop-loss and --trail-percent go with an entry, not with close')
  }
  if (problems.length > 0) throw new UsageError(...problems)
  const body: ManualSignal = {
    symbol: symbol.trim().toUpperCase(),
    side,
    ...(qty !== undefined && { qty }),
    ...(notional !== undefined && { notional }),
    ...(limit !== undefined && { type: 'limit' as const, limitPrice: limit }),
    ...(stop !== undefined && { type: 'stop' as const, stopPrice: stop }),
    ...(takeProfit !== undefined && { takeProfit }),
    ...(stopLoss !== undefined && { stopLoss }),
    ...(trailPercent !== undefined && { trailPercent }),
    ...(options.tif !== undefined && { timeInForce: options.tif }),
    ...(options.reason !== undefined && { reason: options.reason }),
    ...(options.validFor !== undefined && { validFor: options.validFor }),
  }
  const checked = validateBody('manual-signal', body)
  if (!checked.ok) throw new CliError('invalid_signal', errorsText(checked.errors))
  return checked.value
}

/** Signature headers when there is a key for the operator; none otherwise: the engine decides whether it needs one. */
function signed(
  operator: string,
  id: string,
  subject: string,
  payload: string,
): Record<string, string> {
  const path = commandEnv().SIGNALS_KEYS_FILE
  if (!path) return {}
  const { keys, warning } = readKeysFile(path)
  if (warning !== null) warn(warning)
  const key = keys.get(operator)?.[0]
  if (key === undefined) {
    warn(`${path} has no key for operator ${operator}: the signal is not signed`)
    return {}
  }
  const timestamp = String(Math.floor(Date.now() / 1000))
  return signatureHeaders({ id, timestamp, subject, payload }, key)
}
