import type { EventType } from '../../schemas/types.gen.ts'

/** Something that was decided, with what led to it. */
export interface Decided {
  type: EventType
  /** Engine time, ms. */
  at: number
  data: unknown
  /** Place in the book; null: it was decided now. */
  position: number | null
  /** What led to it, nearest first, back to the input. */
  causes: () => DecidedCause[]
}

export interface DecidedCause {
  position: number | null
  type: EventType
  at: number
  data: unknown
}

export interface Counts {
  same: number
  changed: number
  onlyRecorded: number
  onlyNow: number
}

export type DifferenceKind = 'changed' | 'only_recorded' | 'only_now'

export interface Difference {
  kind: DifferenceKind
  type: EventType
  /** Engine time, ms. */
  at: number
  /** The fills that it rests on are simulated. */
  simulated: boolean
  recorded: Shown | null
  now: Shown | null
}

interface Shown {
  position: number | null
  data: unknown
}

/** What a chain decides: judged and asked for, and whether it may trade. */
const COMPARED: ReadonlySet<EventType> = new Set<EventType>([
  'signal.raised',
  'risk.verdict',
  'risk.state_changed',
  'order.intended',
  'order.cancel_requested',
  'order.replace_requested',
  'timer.set',
])

export function isCompared(type: EventType): boolean {
  return COMPARED.has(type)
}

/**
 * Numbers, which shift as soon as one decision is another; words; and what a verdict looked at on its way. Two decisions
 * that differ in nothing else are the same.
 */
const IGNORED: ReadonlySet<string> = new Set([
  'signalId',
  'orderId',
  'orderIds',
  'parentId',
  'replaces',
  'replacedBy',
  'reason',
  'checks',
  'observed',
  'limit',
])

/** Text by which decisions are compared: their type and data without what is ignored. */
export function decisionKey({ type, data }: Pick<Decided, 'type' | 'data'>): string {
  const kept = Object.entries(data as Record<string, unknown>).filter(([name, value]) => {
    if (name === 'legs' && Array.isArray(value) && typeof value[0] === 'number') return false
    return !IGNORED.has(name)
  })
  return `${type} ${JSON.stringify(Object.fromEntries(kept))}`
}

/** Decisions of one family at one moment are taken for two versions of one. */
function family({ type, data }: Decided): string {
  const { strategy, source, symbol, side } = data as Record<string, unknown>
  return [type, strategy, source, symbol, type === 'order.intended' ? '' : side].join(' ')
}

/** Pairs what was decided at one moment in the book with what is decided there now. */
export function pairDecisions(
  recorded: readonly Decided[],
  now: readonly Decided[],
): { same: number; pairs: [Decided | null, Decided | null][] } {
  const pairs: [Decided | null, Decided | null][] = []
  const rest = [...now]
  let same = 0
  const take = (key: string, keyOf: (decided: Decided) => string): Decided | null => {
    const index = rest.findIndex((decided) => keyOf(decided) === key)
    return index === -1 ? null : rest.splice(index, 1)[0]!
  }
  const left = recorded.filter((decided) => {
    const found = take(decisionKey(decided), decisionKey) !== null
    if (found) same++
    return !found
  })
  for (const decided of left) pairs.push([decided, take(family(decided), family)])
  for (const decided of rest) pairs.push([null, decided])
  return { same, pairs }
}

/** Counts and keeps how the decisions of two histories differ, one moment after the other. */
export class DecisionDiff {
  readonly counts: Counts = { same: 0, changed: 0, onlyRecorded: 0, onlyNow: 0 }
  readonly byType: Partial<Record<EventType, Counts>> = {}
  readonly kept: Difference[] = []
  /** Differences that were counted and not kept. */
  dropped = 0
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  /** Decisions of one moment on both sides. */
  compare(recorded: readonly Decided[], now: readonly Decided[], simulated: boolean): void {
    if (recorded.length === 0 && now.length === 0) return
    const { same, pairs } = pairDecisions(recorded, now)
    this.counts.same += same
    if (same > 0) {
      // Every pair that is gone from what was recorded is one of the same.
      const differing = new Set(pairs.map(([one]) => one))
      for (const decided of recorded) {
        if (!differing.has(decided)) this.typed(decided.type).same++
      }
    }
    for (const [was, is] of pairs) this.note(was, is, simulated)
  }

  private note(was: Decided | null, is: Decided | null, simulated: boolean): void {
    const { type, at } = (was ?? is)!
    const [kind, field]: [DifferenceKind, keyof Counts] =
      was === null
        ? ['only_now', 'onlyNow']
        : is === null
          ? ['only_recorded', 'onlyRecorded']
          : ['changed', 'changed']
    this.counts[field]++
    this.typed(type)[field]++
    if (this.kept.length >= this.most) {
      this.dropped++
      return
    }
    this.kept.push({ kind, type, at, simulated, recorded: shown(was), now: shown(is) })
  }

  private typed(type: EventType): Counts {
    const counts = this.byType[type] ?? { same: 0, changed: 0, onlyRecorded: 0, onlyNow: 0 }
    this.byType[type] = counts
    return counts
  }
}

function shown(decided: Decided | null): Shown | null {
  return decided === null ? null : { position: decided.position, data: decided.data }
}
