import type { EventType } from '../../schemas/types.gen.ts'

const DECISIONS: ReadonlySet<EventType> = new Set<EventType>([
  'signal.raised',
  'risk.verdict',
  'order.intended',
])

/** Whether an event is a decision: what live run, backtest and verification are compared by. */
export function isDecision(type: EventType): boolean {
  return DECISIONS.has(type)
}

/**
 * One line of decisions.ndjson: type, version, engine time and data, nothing that depends on positions,
 * ids or clocks of a particular run.
 */
export function decisionLine(type: EventType, version: number, at: number, data: unknown): string {
  return `{"type":"${type}","version":${version},"at":${at},"data":${JSON.stringify(data)}}\n`
}

/** A running hash, provided by the host: the engine has no cryptography of its own. */
export interface RunningHash {
  update(text: string): unknown
  /** Lower-case hex. */
  digest(encoding: 'hex'): string
}

const FLUSH_AT = 64 * 1024

/** sha256 over the lines of decisions.ndjson, gathered so that the hash is called rarely. */
export class DecisionDigest {
  private readonly hash: RunningHash
  private text = ''
  count = 0

  constructor(hash: RunningHash) {
    this.hash = hash
  }

  add(line: string): void {
    this.count++
    this.text += line
    if (this.text.length >= FLUSH_AT) {
      this.hash.update(this.text)
      this.text = ''
    }
  }

  finish(): string {
    if (this.text !== '') this.hash.update(this.text)
    this.text = ''
    return this.hash.digest('hex')
  }
}
