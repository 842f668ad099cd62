import { createHash } from 'node:crypto'
import { parseTime } from '../../engine/time.ts'
import { isOpen } from '../../engine/trading/transitions.ts'
import { findOrder, orderBody } from '../../projections/orders.ts'
import { findSignals } from '../../projections/signals.ts'
import type { ControlReceived, ControlTaken } from '../../schemas/types.gen.ts'
import {
  type CommandContext,
  eventAt,
  invalidBody,
  keyReused,
  published,
  REMEMBERED_MS,
  type Sending,
  type Sent,
  type Stored,
  waitFor,
} from './commands.ts'
import { Problem } from './problem.ts'

export const ACTIONS = ['halt', 'resume', 'cancel-all', 'flatten', 'cancel-order', 'replace-order']
const MAX_ID = 128
const MAX_SHOWN = 80

/** Publishes a control, unless the book has it under its key already. Throws Problem. */
export async function sendControl(context: CommandContext, sending: Sending): Promise<Sent> {
  const { caller, key, path: action, wait } = sending
  const { projector, closing, commands } = context
  if (!ACTIONS.includes(action)) {
    const shown = JSON.stringify(action.slice(0, MAX_SHOWN))
    throw new Problem('not-found', `there is no action ${shown}; there are ${ACTIONS.join(', ')}`)
  }
  const command = { actor: caller.name, ...sending.body }
  const faults = commands.controlFaults(action, command)
  if (faults.length > 0) throw invalidBody(faults)
  const id = controlId(caller.name, key)
  const answer = async (): Promise<Sent | null> => {
    const entry = await taken(context, action, id, command)
    if (entry === null) return null
    const body = takenBody(context, { key, id, action, entry, actor: caller.name })
    return { status: 200, body, location: `/explain/p:${entry}` }
  }
  const before = await answer()
  if (before !== null) return before
  const stored = await send(context, action, id, command)
  const found = wait === 0 ? null : await waitFor(projector, closing, wait, answer)
  const location = '/status'
  return found ?? { status: 202, body: { id: key, ...stored, location }, location }
}

/** Publishes that one order is to be canceled, unless it has ended. Throws Problem. */
export async function sendCancel(context: CommandContext, sending: Sending): Promise<Sent> {
  const { caller, key, path, wait } = sending
  const { projector, closing } = context
  const find = () => findOrder(projector.model.states.orders, path)
  const order = find()
  if (order === undefined) {
    const shown = JSON.stringify(path.slice(0, MAX_SHOWN))
    throw new Problem('not-found', `no order has the id ${shown}; see /orders`)
  }
  const { orderId } = order.intent
  const location = `/orders/${orderId}`
  const command = { actor: caller.name, reason: `DELETE ${location}`, orderId }
  const id = controlId(caller.name, key)
  const ended = async (): Promise<Sent | null> => {
    const { orders } = projector.model.states
    const now = find()
    if (now === undefined || isOpen(now.status)) return null
    const body = { position: projector.position(), ...orderBody(orders, now) }
    return { status: 200, body, location }
  }
  const entry = await taken(context, 'cancel-order', id, command)
  if (!isOpen(order.status)) {
    const before = entry === null ? null : await ended()
    if (before !== null) return before
    const detail = `order ${orderId} is ${order.status}: there is nothing to cancel`
    throw new Problem('order-ended', detail)
  }
  const stored = await send(context, 'cancel-order', id, command)
  const found = wait === 0 ? null : await waitFor(projector, closing, wait, ended)
  return found ?? { status: 202, body: { id: key, ...stored, location }, location }
}

/**
 * What the engine knows a control by. It tells controls apart by action and id alone: without the caller's name in it,
 * one operator's halt would be taken for the repeat of another's.
 */
export function controlId(caller: string, key: string): string {
  const id = `${caller}:${key}`
  return id.length <= MAX_ID ? id : createHash('sha256').update(id).digest('hex')
}

async function send(
  { commands, underway }: CommandContext,
  action: string,
  id: string,
  command: object,
): Promise<Stored> {
  const publish = () => commands.control(action, id, command)
  return published(underway.run(`control ${action} ${id}`, fields(command), publish))
}

/** Position of a control in the book, as long as the engine knows its id. Throws Problem key-reused. */
async function taken(
  { projector, book }: CommandContext,
  action: string,
  id: string,
  command: object,
): Promise<number | null> {
  const entry = projector.model.states.status.taken.get(`${action} ${id}`)
  if (entry === undefined) return null
  const { type, data } = await eventAt(book, entry)
  if (type !== 'control.received') return null
  if (parseTime(data.storedAt) < Date.now() - REMEMBERED_MS) return null
  if (fields(data) !== fields(command)) throw keyReused()
  return entry
}

function takenBody(
  { projector }: CommandContext,
  control: { key: string; id: string; action: string; entry: number; actor: string },
): ControlTaken {
  const { status, signals } = projector.model.states
  const { key, id, action, entry, actor } = control
  const source = `operator:${actor}`
  const judged = findSignals(signals, `${source}:${id}`).find(
    (one) => one.kind === 'control' && one.source === source && one.signalId === id,
  )
  const ofOrder = action === 'cancel-order' || action === 'replace-order'
  const verdict = ofOrder ? (judged?.verdict ?? null) : null
  return {
    position: projector.position(),
    id: key,
    action,
    entry,
    trading: status.trading,
    verdict: verdict?.verdict ?? null,
    orderIds: verdict?.orderIds ?? [],
    code: verdict?.code ?? null,
    observed: verdict?.observed ?? null,
    limit: verdict?.limit ?? null,
  }
}

/** What was ordered: equal for a repeat, whatever the order of the fields. */
function fields(command: Partial<ControlReceived>): string {
  const { actor, reason, orderId, qty, limitPrice, stopPrice } = command
  const { trailAmount, trailPercent, timeInForce } = command
  const changes = [qty, limitPrice, stopPrice, trailAmount, trailPercent, timeInForce]
  return JSON.stringify([actor, reason, orderId, ...changes].map((value) => value ?? null))
}
