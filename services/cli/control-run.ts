import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorsText, validateBody } from '../../schemas/validate.ts'
import { connectNats } from '../adapters/nats/connection.ts'
import { NatsBus } from '../adapters/nats/nats-bus.ts'
import type { ControlAction, ControlOptions } from './control.ts'
import { apiOf, type EngineApi, findEngine, getJson } from './engine-link.ts'
import { CliError } from './exit-codes.ts'
import { defaultOperator } from './operator.ts'
import { print, printJson } from './output.ts'
import { tracedCommand } from './trace-sends.ts'

const POLL_MS = 50

/** What of the engine's status tells that a control has been taken. */
interface Seen {
  controls: number
  trading: string
}

export async function runControlCommand(
  action: ControlAction,
  options: ControlOptions,
): Promise<void> {
  const body = { actor: options.actor ?? defaultOperator(), reason: options.reason }
  const checked = validateBody('control-command', body)
  if (!checked.ok) throw new CliError('invalid_control', errorsText(checked.errors))
  const engine = findEngine(options.dir)
  const api = apiOf(engine)
  const id = randomUUID()
  const nc = await connectNats(engine.natsUrl, 'cli')
  const traced = tracedCommand(new NatsBus(nc))
  let before: Seen | null
  let stored: { stream: string; sequence: number }
  try {
    before = api === null ? null : await look(api)
    stored = await traced.bus.publish(`control.${action}`, JSON.stringify(body), { id })
  } finally {
    await nc.close()
    await traced.end()
  }
  const seen = api === null ? null : await confirm(api, action, before, options.wait)
  const where = `${stored.stream} ${stored.sequence}`
  if (api !== null && seen === null) {
    throw new CliError(
      'not_confirmed',
      `${action} is stored (${where}) but the engine of ${engine.where} has not confirmed it within ${options.wait / 1000} s: look at \`bitacora status\``,
      { action, controlId: id, stream: stored.stream, sequence: stored.sequence },
    )
  }
  if (options.json) {
    printJson({
      action,
      controlId: id,
      stream: stored.stream,
      sequence: stored.sequence,
      confirmed: seen !== null,
      trading: seen?.trading ?? null,
    })
  } else if (seen === null)
    print(`${action} is stored (${where}); the engine acts when it reads it`)
  else print(`${action} is done: trading is ${seen.trading}`)
}

/** Null while the engine does not answer: a control must be stored all the same. */
async function look(api: EngineApi): Promise<Seen | null> {
  try {
    const { status, body } = await getJson(api, '/status')
    if (status !== 200) return null
    const { counts, trading } = body as {
      counts?: { controls?: unknown }
      trading?: { state?: unknown }
    }
    if (typeof counts?.controls !== 'number' || typeof trading?.state !== 'string') return null
    return { controls: counts.controls, trading: trading.state }
  } catch (error) {
    if (error instanceof CliError) return null
    throw error
  }
}

/** Waits until the engine has taken one control more, and trades as this one asks; null when it does not. */
async function confirm(
  api: EngineApi,
  action: ControlAction,
  before: Seen | null,
  waitMs: number,
): Promise<Seen | null> {
  const deadline = Date.now() + waitMs
  let base = before
  for (;;) {
    const seen = await look(api)
    if (seen !== null) {
      const fits =
        (action !== 'halt' || seen.trading === 'HALTED') &&
        (action !== 'resume' || seen.trading !== 'HALTED')
      // Without a look before, the state alone can tell, and only of halt and resume.
      const taken =
        base === null ? action === 'halt' || action === 'resume' : seen.controls > base.controls
      if (fits && taken) return seen
      base ??= seen
    }
    if (Date.now() >= deadline) return null
    await sleep(POLL_MS)
  }
}
