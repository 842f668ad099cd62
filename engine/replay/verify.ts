import type { EventType } from '../../schemas/types.gen.ts'
import { Chain } from '../chain/chain.ts'
import type { ChainEvent } from '../chain/processor.ts'
import { chainEvent } from '../events/chain-event.ts'
import { AlteredEvent, decodeBody, type RecordedEvent } from '../events/envelope.ts'
import { eventId } from '../events/ids.ts'
import { type Hash, stepChecksum } from '../events/step-recorder.ts'
import type { StoredEvent } from '../ports/event-store.ts'
import { DecisionDigest, decisionLine, isDecision, type RunningHash } from './decisions.ts'

export interface Cause {
  position: number
  type: string
  at: number
  data: unknown
}

/** The first recorded event that does not come out again, or was altered. */
export interface Divergence {
  /** altered: bytes are not what was written. diverged: the same code decides otherwise. */
  kind: 'altered' | 'diverged'
  position: number
  type: string
  message: string
  /** What stands in the book, and what the chain makes of the recorded input; null where there is none. */
  recorded: { type: string; data: unknown } | null
  computed: { type: string; data: unknown } | null
  /** From the event back to the input of its step. */
  causes: Cause[]
}

/** A stretch recorded by other code, in which decisions now come out otherwise. */
export interface ChangedStretch {
  codeHash: string
  from: number
  to: number
  steps: number
  differing: number
  first: { position: number; type: string } | null
}

export interface VerifyResult {
  ok: boolean
  /** Events compared, decisions among them, steps, all recorded by this code. */
  checked: { events: number; decisions: number; steps: number }
  /** sha256 over the recorded decisions, as in a backtest's summary. */
  digest: string
  divergence: Divergence | null
  /** Steps that differ or were altered, all together. */
  faults: number
  changed: ChangedStretch[]
}

/**
 * Runs every recorded decision again from its recorded inputs. Feed it the whole book in order: the state
 * is folded from what is recorded, so each step is judged by itself and a fault does not spread.
 */
export class Verifier {
  private readonly chain = new Chain()
  private readonly codeHash: string
  private readonly hash: Hash
  private readonly digest: DecisionDigest
  private readonly from: number
  private readonly to: number
  private step: StoredEvent[] = []
  private decoded: RecordedEvent[] = []
  private previous = ''
  private next = 0
  private run: string | null = null
  /** An event could not be processed: the state after it is unknown, and only bytes are looked at from there. */
  private broken = false
  private recordedBy: string | null = null
  private divergence: Divergence | null = null
  private faults = 0
  private readonly checked = { events: 0, decisions: 0, steps: 0 }
  private readonly changed: ChangedStretch[] = []

  /** `from` and `to` limit what is compared, not what is folded. */
  constructor(options: {
    codeHash: string
    hash: Hash
    runningHash: RunningHash
    from?: number
    to?: number
  }) {
    this.codeHash = options.codeHash
    this.hash = options.hash
    this.digest = new DecisionDigest(options.runningHash)
    this.from = options.from ?? 0
    this.to = options.to ?? Number.POSITIVE_INFINITY
  }

  feed(stored: StoredEvent): void {
    // A step ends with its checksum, so that no altered body can move the boundary.
    this.step.push(stored)
    if (stored.checksum !== null) this.closeStep()
  }

  finish(): VerifyResult {
    if (this.step.length > 0) {
      this.fault(
        'altered',
        this.step[0]!,
        'the last step has no checksum: its end is missing',
        null,
      )
    }
    return {
      ok: this.faults === 0,
      checked: this.checked,
      digest: this.digest.finish(),
      divergence: this.divergence,
      faults: this.faults,
      changed: this.changed,
    }
  }

  private closeStep(): void {
    const step = this.step
    this.step = []
    const first = step[0]!
    const last = step[step.length - 1]!
    const sum = stepChecksum(
      this.hash,
      this.previous,
      first.id,
      step.map((event) => event.body),
    )
    const intact = sum === last.checksum
    this.previous = last.checksum!
    const compared = first.position >= this.from && last.position <= this.to
    try {
      this.decoded = step.map(decodeBody)
    } catch (error) {
      if (!(error instanceof AlteredEvent)) throw error
      this.broken = true
      this.next = last.position + 1
      this.fault('altered', eventAt(step, error.position), error.message, null)
      return
    }
    const events = this.decoded
    if (events[0]!.type === 'engine.started') {
      const { codeHash, run } = events[0]!.data as { codeHash: string; run: string }
      this.recordedBy = codeHash
      this.run = /^[0-9a-f]{16}$/.test(run) ? run : null
    }
    const misplaced = this.misplaced(step, events)
    this.next = last.position + 1
    const mismatch = this.broken ? null : this.replay(events)
    for (const event of events) {
      if (isDecision(event.type)) {
        this.digest.add(decisionLine(event.type, event.version, event.at, event.data))
      }
    }
    if (!compared) return
    if (misplaced !== null) {
      this.fault('altered', misplaced.at, misplaced.what, mismatch)
      return
    }
    if (!intact) {
      const at = mismatch?.position ?? first.position
      const what =
        mismatch === null
          ? `step ${first.position} to ${last.position} does not match its checksum; its decisions still come out the same, so the altered byte lies in an input, a clock or a reference`
          : `it does not match the checksum of its step, and comes out otherwise when it is decided again`
      this.fault('altered', eventAt(step, at), what, mismatch)
      return
    }
    if (this.recordedBy !== null && this.recordedBy !== this.codeHash) {
      this.noteChanged(first.position, last.position, mismatch)
      return
    }
    this.checked.steps++
    this.checked.events += events.length
    for (const event of events) if (isDecision(event.type)) this.checked.decisions++
    if (mismatch !== null) {
      this.fault(
        'diverged',
        eventAt(step, mismatch.position),
        'the same code and input decide otherwise',
        mismatch,
      )
    }
  }

  /** What stands beside the bodies must say the same as they do: positions, types, ids, the step itself. */
  private misplaced(
    step: readonly StoredEvent[],
    events: readonly RecordedEvent[],
  ): { at: StoredEvent; what: string } | null {
    const first = step[0]!.position
    for (const [index, at] of step.entries()) {
      const next = index === 0 ? this.next : step[index - 1]!.position + 1
      if (at.position !== next) return { at, what: `position ${next} should come here` }
      const event = events[index]!
      if (event.type !== at.type) return { at, what: `it is filed as ${at.type}` }
      if (event.step !== first) return { at, what: `it says that it belongs to step ${event.step}` }
      // The genesis comes before the run that wrote it has said its name.
      if (this.run !== null && at.id !== eventId(this.run, at.position)) {
        return { at, what: 'its id is not that of its run and position' }
      }
    }
    return null
  }

  /** Folds a step and compares what the chain emits with what is recorded; the first mismatch, or null. */
  private replay(events: readonly RecordedEvent[]): Mismatch | null {
    let mismatch: Mismatch | null = null
    const first = events[0]!.position
    // What must come next, nearest first, each with the index of its cause.
    const expected: { event: ChainEvent; because: number }[] = []
    for (const [index, recorded] of events.entries()) {
      if (index > 0 && mismatch === null) {
        const next = expected.pop()
        const difference = compare(recorded, next, first)
        if (difference !== null) {
          mismatch = {
            position: recorded.position,
            message: difference,
            computed: next === undefined ? null : { type: next.event.type, data: next.event.data },
          }
        }
      }
      let emitted: readonly ChainEvent[]
      try {
        emitted = this.chain.fold(chainEvent(recorded))
      } catch (error) {
        this.broken = true
        return (
          mismatch ?? {
            position: recorded.position,
            message: `it cannot be processed: ${error instanceof Error ? error.message : String(error)}`,
            computed: null,
          }
        )
      }
      for (let i = emitted.length - 1; i >= 0; i--) {
        expected.push({ event: emitted[i]!, because: index })
      }
    }
    const missing = expected.pop()
    if (mismatch === null && missing !== undefined) {
      mismatch = {
        position: events[events.length - 1]!.position + 1,
        message: `a ${missing.event.type} follows that is not recorded`,
        computed: { type: missing.event.type, data: missing.event.data },
      }
    }
    return mismatch
  }

  private noteChanged(from: number, to: number, mismatch: Mismatch | null): void {
    let stretch = this.changed[this.changed.length - 1]
    if (stretch === undefined || stretch.codeHash !== this.recordedBy) {
      stretch = { codeHash: this.recordedBy!, from, to, steps: 0, differing: 0, first: null }
      this.changed.push(stretch)
    }
    stretch.to = to
    stretch.steps++
    if (mismatch !== null) {
      stretch.differing++
      const type = mismatch.computed?.type ?? 'nothing'
      stretch.first ??= { position: mismatch.position, type }
    }
  }

  private fault(
    kind: Divergence['kind'],
    at: StoredEvent,
    what: string,
    mismatch: Mismatch | null,
  ): void {
    this.faults++
    if (this.divergence !== null) return
    const recorded = this.decoded.find((event) => event.position === at.position)
    const detail = mismatch === null ? '' : `: ${mismatch.message}`
    this.divergence = {
      kind,
      position: at.position,
      type: recorded?.type ?? at.type,
      message: `${recorded?.type ?? at.type} at position ${at.position}: ${what}${detail}`,
      recorded: recorded === undefined ? null : { type: recorded.type, data: recorded.data },
      computed: mismatch?.computed ?? null,
      causes: this.causes(recorded),
    }
  }

  private causes(event: RecordedEvent | undefined): Cause[] {
    const causes: Cause[] = []
    let next = event
    while (next !== undefined && next.because !== null && causes.length < this.decoded.length) {
      const { because } = next
      next = this.decoded.find((candidate) => candidate.position === because)
      if (next !== undefined) {
        causes.push({ position: next.position, type: next.type, at: next.at, data: next.data })
      }
    }
    return causes
  }
}

/** The event of a position, or the last of the step where none follows. */
function eventAt(step: readonly StoredEvent[], position: number): StoredEvent {
  return step.find((event) => event.position === position) ?? step[step.length - 1]!
}

interface Mismatch {
  position: number
  message: string
  computed: { type: EventType; data: unknown } | null
}

function compare(
  recorded: RecordedEvent,
  next: { event: ChainEvent; because: number } | undefined,
  first: number,
): string | null {
  if (next === undefined) return 'nothing follows here when it is decided again'
  const { event } = next
  if (recorded.type !== event.type) return `a ${event.type} comes out instead`
  if (JSON.stringify(recorded.data) !== JSON.stringify(event.data)) {
    return `other data comes out: ${fields(recorded.data, event.data)}`
  }
  if (recorded.at !== event.at) return `it carries time ${recorded.at} instead of ${event.at}`
  if (recorded.because !== first + next.because) {
    return `it names ${recorded.because} as its cause instead of ${first + next.because}`
  }
  return null
}

/** The fields that differ, as "qty: recorded "100", computed "10"". */
function fields(recorded: unknown, computed: unknown): string {
  const a = recorded as Record<string, unknown>
  const b = computed as Record<string, unknown>
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  const differing = names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
  if (differing.length === 0) return 'the same fields in another order'
  return differing
    .map((name) => `${name}: recorded ${text(a[name])}, computed ${text(b[name])}`)
    .join('; ')
}

function text(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing'
  return json.length > 120 ? `${json.slice(0, 117)}...` : json
}
