import { AckPolicy, type ConsumerInfo, type JetStreamManager } from 'nats'
import { ConsumerMismatch } from './consumer-errors.ts'
import { floorOf } from './delivery.ts'

/** What earlier consumers of one reader leave behind. */
export interface Predecessors {
  names: string[]
  /** Last sequence that one of them had acknowledged; null: there are none. */
  floor: number | null
  /** Last sequence that was delivered to one of them. */
  delivered: number
}

/**
 * A reader's consumers are named after it, each with letters of its own: whoever still pulls from an earlier one, or
 * acknowledges to it, cannot touch the present one.
 */
export function consumerName(reader: string): string {
  const letters = Math.floor(Math.random() * 0x100000000)
  return `${reader}-${letters.toString(16).padStart(8, '0')}`
}

/** Looks for them. Throws ConsumerMismatch when one works in another way. */
export async function findPredecessors(
  jsm: JetStreamManager,
  stream: string,
  reader: string,
  filter: string | undefined,
): Promise<Predecessors> {
  const found: Predecessors = { names: [], floor: null, delivered: 0 }
  for await (const info of jsm.consumers.list(stream)) {
    const { name } = info
    const ours = name.startsWith(`${reader}-`) && /^[0-9a-f]{8}$/.test(name.slice(-8))
    if (name !== reader && !(ours && name.length === reader.length + 9)) continue
    check(info, stream, filter)
    found.names.push(name)
    found.floor = Math.max(found.floor ?? 0, floorOf(info))
    found.delivered = Math.max(found.delivered, info.delivered.stream_seq)
  }
  return found
}

function check(info: ConsumerInfo, stream: string, filter: string | undefined): void {
  const { ack_policy, filter_subject, deliver_subject } = info.config
  const wrong = (what: string) => new ConsumerMismatch(stream, info.name, what)
  if (deliver_subject) throw wrong('a deliver subject')
  if (ack_policy !== AckPolicy.All) throw wrong(`ack policy ${ack_policy}`)
  if ((filter_subject ?? '') !== (filter ?? '')) throw wrong(`filter ${filter_subject}`)
}

/** 2.9 may answer a deletion with a file system error of its own and delete all the same; what stays does no harm. */
export async function removeConsumers(
  jsm: JetStreamManager,
  stream: string,
  names: readonly string[],
): Promise<void> {
  await Promise.all(names.map((name) => jsm.consumers.delete(stream, name).catch(() => false)))
}
